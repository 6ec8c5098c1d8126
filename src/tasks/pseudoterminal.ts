// Adapts a TerminalSession to what VS Code wants of a terminal made by an extension.

import * as vscode from "vscode";
import { type SessionOptions, TerminalSession } from "./session";

export class SandboxPseudoterminal implements vscode.Pseudoterminal {
  // The emitters live until the terminal is gone: VS Code listens to them from before open() until after close().
  readonly #writes = new vscode.EventEmitter<string>();
  readonly #closes = new vscode.EventEmitter<number>();
  readonly #session: TerminalSession;
  #ended = false;

  readonly onDidWrite = this.#writes.event;
  readonly onDidClose = this.#closes.event;

  /**
   * @param onEnd called once, with the exit code, or undefined when the user closed the terminal
   */
  constructor(
    options: SessionOptions,
    private readonly onEnd: (code: number | undefined) => void = () => {},
  ) {
    this.#session = new TerminalSession(options, {
      write: (text) => this.#writes.fire(text),
      close: (code) => {
        this.#closes.fire(code);
        this.#tellEnd(code);
      },
    });
  }

  open(initialDimensions: vscode.TerminalDimensions | undefined): void {
    void this.#session.open(initialDimensions);
  }

  handleInput(data: string): void {
    this.#session.input(data);
  }

  setDimensions(dimensions: vscode.TerminalDimensions): void {
    this.#session.resize(dimensions);
  }

  close(): void {
    this.#tellEnd(undefined);
    void this.#session.close();
  }

  #tellEnd(code: number | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd(code);
  }
}
