export { Checkpoints } from './checkpoints';
export { Parked, type ParkedDocument } from './parked';
export { MongoProjector, type Stored } from './projector';
export { type WorkflowCommand, WorkflowRunner } from './workflow-runner';
export { type Sweep, WorkflowStates } from './workflow-states';
