/** The engine and what it imports: no state but memory of texts already parsed, nothing of Temporal, no clock, no randomness. */
const PURE = '/^\\.\\/(domain|node_modules\\/(@marcbachmann\\/cel-js|handlebars))\\//';
const PER_RUN = '__webpack_module_cache__[moduleId]';
const SHARED = `(${PURE}.test(moduleId) ? (__webpack_require__.pure ??= {}) : __webpack_module_cache__)[moduleId]`;
const NAME = 'sharePureModules';

type Waterfall<Value> = { tap(name: string, change: (value: Value) => Value): void };
type Compilation = object;
/** What is used of webpack's compiler. */
export type Compiler = {
  hooks: { compilation: { tap(name: string, use: (compilation: Compilation) => void): void } };
  webpack: {
    javascript: {
      JavascriptModulesPlugin: {
        getCompilationHooks(compilation: Compilation): { renderRequire: Waterfall<string> };
      };
    };
  };
};

/**
 * The SDK evaluates every module of the bundle anew for every run, so that runs cannot see each other. For modules without state
 * that only costs: milliseconds a run, and nothing ever gets warm. These are evaluated once a worker thread.
 */
export function sharePureModules(): { apply(compiler: Compiler): void } {
  return {
    apply({ hooks, webpack }) {
      hooks.compilation.tap(NAME, (compilation) => {
        const { renderRequire } = webpack.javascript.JavascriptModulesPlugin.getCompilationHooks(compilation);
        renderRequire.tap(NAME, (code) => code.replaceAll(PER_RUN, SHARED));
      });
    },
  };
}
