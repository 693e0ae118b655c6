import { type ComponentChildren, Fragment, toChildArray } from "preact";

/** Properties of {@linkcode Facts}. */
export interface FactsProps {
  readonly id?: string;
  readonly class: string;
  /** The facts, one element each. */
  readonly children: ComponentChildren;
}

/** A line may break after the dot, not before it: the word joiner holds where an element ends. */
const SEPARATOR = "\u2060\u00a0· ";

/** A line of short facts: "@grace · github · 2 sessions". */
export function Facts({ id, class: name, children }: FactsProps) {
  return (
    <p id={id} class={`${name} facts`}>
      {toChildArray(children).map((fact, index) => (
        <Fragment key={index}>
          {index > 0 && SEPARATOR}
          {fact}
        </Fragment>
      ))}
    </p>
  );
}
