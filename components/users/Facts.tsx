import { type ComponentChildren, Fragment, toChildArray } from "preact";

/** Properties of {@linkcode Facts}. */
export interface FactsProps {
  readonly id?: string;
  readonly class: string;
  /** The facts, one element each. */
  readonly children: ComponentChildren;
}

/** A line of short facts: "@grace · github · 2 sessions". It breaks after a dot, never before one. */
export function Facts({ id, class: name, children }: FactsProps) {
  const facts = toChildArray(children);
  return (
    <p id={id} class={`${name} facts`}>
      {facts.map((fact, index) => (
        <Fragment key={index}>
          {index > 0 && " "}
          <span>{fact}{index < facts.length - 1 && "\u00a0·"}</span>
        </Fragment>
      ))}
    </p>
  );
}
