/** A user, as shown to admins. */
export interface UserView {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly avatarUrl: string;
  readonly provider: string;
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
  /** First and last sign-in, and the time of the ban. */
  readonly createdAt: string;
  readonly lastSignInAt: string;
  readonly bannedAt: string | undefined;
  readonly sessions: number;
  /** Open sockets, over all processes. */
  readonly sockets: number;
}
