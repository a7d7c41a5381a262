export { type ChildEngine, type EngineName, startEngineProcess } from './child';
export { type Engine, EngineStartError } from './engine';
export { superviseEngine } from './supervisor';
