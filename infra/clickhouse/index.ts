export { type Freshness, landingDigest, Warehouse } from './warehouse';
export { WarehouseLoader } from './warehouse-loader';
