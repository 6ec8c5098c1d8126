// Four bundles from one source tree: the extension (vscode stays outside), the vscode-free library, and what both load on
// first use: the schemas, and the D-Bus client.
const path = require("node:path");

/** @type {import("webpack").Configuration} */
module.exports = {
  mode: "production",
  devtool: false,
  target: "node20",
  entry: { extension: "./src/extension.ts", api: "./src/api.ts", schemas: "./src/schemas.ts", dbus: "./src/dbus.ts" },
  output: { path: path.resolve(__dirname, "dist"), filename: "[name].js", libraryTarget: "commonjs2" },
  externals: { vscode: "commonjs vscode", "./schemas": "commonjs ./schemas.js", "./dbus": "commonjs ./dbus.js" },
  resolve: { extensions: [".ts", ".js"] },
  module: {
    // The loader of the addon wants the real require.
    parser: { javascript: { createRequire: false } },
    rules: [
      {
        test: /\.ts$/,
        exclude: /node_modules/,
        use: {
          loader: "ts-loader",
          options: {
            onlyCompileBundledFiles: true,
            // ES modules, unlike what runs in the tests, so that webpack can leave out what nobody imports.
            compilerOptions: { module: "ESNext", moduleResolution: "Bundler", sourceMap: false },
          },
        },
      },
    ],
  },
  // __dirname must stay the folder of the bundle: the loader finds the addon beside it.
  node: { __dirname: false, __filename: false },
  // Not minimized: a stack trace from a user's machine should be readable, and the package is small all the same.
  optimization: { minimize: false },
  performance: { hints: false },
};
