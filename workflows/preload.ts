/**
 * What all workflows of a sandbox share: loaded once instead of once a run, and then frozen. So nothing below core/ keeps state in
 * a module.
 */
import '../core/engine';

/**
 * The SDK takes a stack trace for every promise of a workflow, to answer `__stack_trace`, and looks each of its lines up in the source
 * map. The interpreter's stack says the same in every run, and the first lines of an error's stack say where it is.
 */
Error.stackTraceLimit = 4;
