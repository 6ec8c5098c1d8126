// The problems that written-out problem matchers find in a task's output, shown in VS Code's list of problems. They stay
// after the task, as VS Code's own do, until the same task runs again.

import { stripVTControlCharacters } from "node:util";
import * as vscode from "vscode";
import { LineMatcher, type MatchedProblem, type Matcher } from "./problemMatcher";

/** A longer line is no message of a compiler. */
const LINE_LIMIT = 10_000;

export class TaskProblems implements vscode.Disposable {
  readonly #collections = new Map<string, vscode.DiagnosticCollection>();

  /**
   * Forget what the last run of a task gave, and watch the output of the next.
   * @returns what takes the output, in pieces of any length
   */
  watch(task: string, matchers: readonly Matcher[]): (text: string) => void {
    const collection = this.#collections.get(task) ?? vscode.languages.createDiagnosticCollection(task);
    this.#collections.set(task, collection);
    collection.clear();
    const lines = matchers.map((matcher) => ({ matcher, reader: new LineMatcher(matcher) }));
    let rest = "";
    return (text) => {
      const parts = (rest + text).split(/\r*\n/);
      rest = (parts.pop() ?? "").slice(-LINE_LIMIT);
      for (const part of parts) {
        const line = stripVTControlCharacters(part);
        for (const { matcher, reader } of lines) {
          const problem = reader.line(line);
          if (problem) add(collection, problem, matcher.source ?? task);
        }
      }
    };
  }

  dispose(): void {
    for (const collection of this.#collections.values()) collection.dispose();
  }
}

function add(collection: vscode.DiagnosticCollection, problem: MatchedProblem, source: string): void {
  const { file, line, column, endLine, endColumn, message, code } = problem;
  const range = new vscode.Range(line - 1, column - 1, Math.max(line, endLine) - 1, endColumn - 1);
  const diagnostic = new vscode.Diagnostic(range, message, severity(problem));
  diagnostic.source = source;
  if (code !== undefined) diagnostic.code = code;
  const uri = vscode.Uri.file(file);
  collection.set(uri, [...(collection.get(uri) ?? []), diagnostic]);
}

function severity(problem: MatchedProblem): vscode.DiagnosticSeverity {
  switch (problem.severity) {
    case "error":
      return vscode.DiagnosticSeverity.Error;
    case "warning":
      return vscode.DiagnosticSeverity.Warning;
    case "info":
      return vscode.DiagnosticSeverity.Information;
  }
}
