// Translation for what users read, without importing vscode: the modules that make words run in plain Node too (unit
// tests). extension.ts hands in vscode.l10n.t; until then, and in tests, the English text is used. Logs stay English.

type Translate = (message: string, ...args: (string | number | boolean)[]) => string;

/** Puts the arguments into {0}, {1}, ... as vscode.l10n.t does. */
const english: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (whole, index: string) => {
    const value = args[Number(index)];
    return value === undefined ? whole : String(value);
  });

let translate: Translate = english;

/** Use this function from now on; extension.ts calls it once, with vscode.l10n.t. */
export function useTranslator(translator: Translate): void {
  translate = translator;
}

/**
 * The message in the user's language.
 * @param message English text with {0}, {1}, ...; must stand as a literal in the source, so that the test which holds
 * l10n/bundle.l10n.json against the sources finds it.
 */
export function t(message: string, ...args: (string | number | boolean)[]): string {
  return translate(message, ...args);
}
