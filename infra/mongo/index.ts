export { Checkpoints } from './checkpoints';
export { Parked, type ParkedDocument } from './parked';
export { MongoProjector, type Stored } from './projector';
