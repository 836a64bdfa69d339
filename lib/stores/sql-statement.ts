import type { CompiledQuery, Kysely } from "kysely";

interface Built<Row> {
  compile(): CompiledQuery<Row>;
}

/** Runs one statement, and answers its first row. */
export type Statement<Given extends object, Row> = (given: Given) => Promise<Row | undefined>;

/**
 * A statement that is built and compiled once, when it is first run, and then only handed other values: building and compiling
 * takes Kysely longer than all else it does for a query.
 *
 * `build` gets each value's name in the value's place, so it may put them anywhere, but look at none.
 */
export function statement<DB, Given extends object, Row>(
  db: Kysely<DB>,
  names: readonly (keyof Given & string)[],
  build: (values: Given) => Built<Row>,
): Statement<Given, Row> {
  let built: CompiledQuery<Row> | undefined;
  return async (given) => {
    built ??= build(Object.fromEntries(names.map((name) => [name, name])) as Given).compile();
    const parameters = built.parameters.map((name) => given[name as keyof Given]);
    const { rows } = await db.executeQuery<Row>({ ...built, parameters });
    return rows[0];
  };
}
