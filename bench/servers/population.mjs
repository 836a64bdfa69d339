// @ts-check
// Many accounts at once: one user is enrolled for real, and the row is copied under other names, by the database itself where
// there is one. The copies weigh what a real account weighs; their secrets open for nobody, as they are sealed for another.

/** Whose row is copied. Long enough to be found nowhere else in it. */
export const MODEL = "the-model-user";

/** @param {number} index */
export function nameOf(index) {
  return `p${index}`;
}

/** @param {import("express-second-factor").Store} store @param {number} count */
export async function copyInMemory(store, count) {
  const model = await store.read(`account:${MODEL}`);
  if (model === undefined) throw new Error("The model user is not enrolled");
  for (let index = 0; index < count; index += 1) {
    const name = nameOf(index);
    // Through bytes, because what replaceAll answers shares its parts with the model.
    const copy = Buffer.from(model.value.replaceAll(MODEL, name)).toString();
    await store.write(`account:${name}`, copy, { expect: null });
  }
}

const COPY = [
  "local fields = redis.call('HGETALL', KEYS[1])",
  "for index = tonumber(ARGV[2]), tonumber(ARGV[3]) do",
  "  local copy, name = {}, 'p' .. index",
  "  for place, field in ipairs(fields) do copy[place] = field:gsub(ARGV[1], name) end",
  "  local key = KEYS[1]:gsub(ARGV[1], name)",
  "  redis.call('HSET', key, unpack(copy))",
  "end",
].join("\n");

const BATCH = 10_000;

/** @param {Awaited<ReturnType<typeof import("./application.mjs").connectRedis>>} client @param {number} count */
export async function copyInRedis(client, count) {
  const [key, ...others] = await client.keys(`*${MODEL}*`);
  if (key === undefined || others.length > 0) throw new Error("The model user should have one key in Redis");
  // In a pattern of Lua a hyphen is something else.
  const pattern = MODEL.replaceAll("-", "%-");
  for (let from = 0; from < count; from += BATCH) {
    const to = Math.min(from + BATCH, count) - 1;
    await client.eval(COPY, { keys: [key], arguments: [pattern, String(from), String(to)] });
  }
}

/** @param {import("pg").Pool} pool @param {number} count */
export async function copyInSql(pool, count) {
  await pool.query(
    `insert into second_factor (key, version, value, expires_at)
     select replace(key, $1, 'p' || n), version, replace(value, $1, 'p' || n), expires_at
     from second_factor cross join generate_series(0, $2::int - 1) as n where key = 'account:' || $1`,
    [MODEL, count],
  );
}
