export { sqlStore } from "../stores/sql.js";
export { removeExpired, type RemoveExpiredOptions } from "../stores/sql-cleanup.js";
export { createTables, type SqlStoreOptions, tablesSql } from "../stores/sql-tables.js";
export type { BringsRateLimitStore, StoreWithRateLimits } from "../stores/contract.js";
