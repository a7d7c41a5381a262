export { landedData, toDateTime64 } from './landed-rows';
export { ScratchWarehouse } from './scratch-warehouse';
export { Subtrees } from './subtrees';
export { compareTables, type RowDifference } from './table-comparison';
export { type Freshness, type ReportQuery, Warehouse } from './warehouse';
export { WAREHOUSE, WarehouseLoader } from './warehouse-loader';
