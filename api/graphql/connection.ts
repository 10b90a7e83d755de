import { AppError } from '../../domain/errors.ts';

export type Connection<Node> = {
  edges: { node: Node; cursor: string }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  totalCount: number;
};

export type Page<Node> = { rows: Node[]; totalCount: number; hasNextPage: boolean };

/** Relay's connection of one page; whatever is asked `after` something has a page before it. */
export function connectionOf<Node>(
  page: Page<Node>,
  cursorOf: (node: Node) => string,
  after: string | undefined,
): Connection<Node> {
  const edges = page.rows.map((node) => ({ node, cursor: cursorOf(node) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: page.totalCount,
  };
}

/** @throws INPUT_INVALID outside 1..maximum */
export function pageSize(first: number | null | undefined, standard: number, maximum: number): number {
  if (first === null || first === undefined) return standard;
  if (first >= 1 && first <= maximum) return first;
  throw argumentInvalid('first', `must be 1 to ${maximum}`);
}

export function argumentInvalid(name: string, message: string): AppError {
  return new AppError('INPUT_INVALID', { detail: `${name} ${message}`, paths: [{ path: `/${name}`, message }] });
}
