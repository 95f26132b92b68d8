/**
 * The workflow module's only function export is `default`: it handles every workflow type, and the type is the definition's
 * id, so that Web UI, schedules and the `temporal` CLI show and start definitions by their real names.
 */
export { runDefinition as default } from './run-definition';
