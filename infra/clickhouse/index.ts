export { type Freshness, Warehouse } from './warehouse';
export { WarehouseLoader } from './warehouse-loader';
