export { type ChildEngine, type EngineName, startEngineProcess } from './child';
export { type Engine, EngineStartError, isLoopback } from './engine';
export { superviseEngine } from './supervisor';
