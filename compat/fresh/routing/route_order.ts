/**
 * Orders route files by precedence: the app wrapper, then in every folder middlewares, layouts,
 * error pages, the index, fixed names, parameters, `[...rest]`, and groups after their siblings
 * (but before parameters). Deeper files come before the files of their parent folders.
 */
export function compareRouteFiles(a: string, b: string): number {
  const [appA, appB] = [a.endsWith("/_app"), b.endsWith("/_app")];
  if (appA || appB) return Number(appB) - Number(appA);

  const segmentsA = a.split("/");
  const segmentsB = b.split("/");
  const shared = Math.min(segmentsA.length, segmentsB.length);
  for (let i = 0; i < shared; i++) {
    const [left, right] = [segmentsA[i], segmentsB[i]];
    if (left === right) continue;
    return compareSegments(left, right, i === segmentsA.length - 1, i === segmentsB.length - 1);
  }
  return segmentsB.length - segmentsA.length;
}

function compareSegments(a: string, b: string, isLastA: boolean, isLastB: boolean): number {
  const rank = rankOf(b, isLastB) - rankOf(a, isLastA);
  if (rank !== 0) return rank;
  // If one name is a prefix of the other, the longer file and the shorter folder win.
  if (b.startsWith(a)) return isLastA ? 1 : -1;
  if (a.startsWith(b)) return isLastB ? -1 : 1;
  return a < b ? -1 : 1;
}

function rankOf(segment: string, isLast: boolean): number {
  if (segment.startsWith("_m")) return 6;
  if (segment.startsWith("_e")) return 4;
  if (segment.startsWith("_")) return 5;
  if (segment === "index" && isLast) return 3;
  if (segment.startsWith("[...")) return 0;
  if (segment.startsWith("[")) return 1;
  if (segment.startsWith("(")) return 1.5;
  return 2;
}
