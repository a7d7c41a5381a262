export { type Freshness, landingDigest, type ReportQuery, Warehouse } from './warehouse';
export { WarehouseLoader } from './warehouse-loader';
