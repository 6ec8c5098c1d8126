// Loaded first of all where a sanitizer's runtime was preloaded into Node: what Node starts is not to have it too. The
// runtime itself has been loaded long ago.

delete process.env.LD_PRELOAD;
