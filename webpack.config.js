// Two bundles from one source tree: the extension (vscode stays outside) and the vscode-free library.
const path = require("node:path");

/** @type {import("webpack").Configuration} */
module.exports = {
  mode: "production",
  devtool: false,
  target: "node20",
  entry: { extension: "./src/extension.ts", api: "./src/api.ts" },
  output: { path: path.resolve(__dirname, "dist"), filename: "[name].js", libraryTarget: "commonjs2" },
  externals: { vscode: "commonjs vscode" },
  resolve: { extensions: [".ts", ".js"] },
  module: {
    rules: [
      {
        test: /\.ts$/,
        exclude: /node_modules/,
        use: { loader: "ts-loader", options: { onlyCompileBundledFiles: true } },
      },
    ],
  },
  // __dirname must stay the folder of the bundle: the loader finds the addon beside it.
  node: { __dirname: false, __filename: false },
  optimization: { minimize: true },
  performance: { hints: false },
};
