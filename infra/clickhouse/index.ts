export { landedData, toDateTime64 } from './landed-rows';
export { ScratchWarehouse } from './scratch-warehouse';
export { Subtrees } from './subtrees';
export { TableBuilds, type TableProgress } from './table-builds';
export { compareTables, type RowDifference } from './table-comparison';
export { TableRebuilder } from './table-rebuilder';
export { type Freshness, type ReportQuery, Warehouse } from './warehouse';
export { WAREHOUSE, WarehouseLoader } from './warehouse-loader';
