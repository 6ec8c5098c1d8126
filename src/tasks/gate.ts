// A repository can't loosen: what its task asks beyond the user's profile is asked of the user first. Nothing is made
// before the answer; "no", no answer, and a window in which nobody can be asked are the same.

import { t } from "../l10n";
import { type Consent, loosenings, type ResolvedProfile, requestHash, type TaskRequest } from "../sandbox";
import type { Approvals } from "./approvals";
import { allowedWords } from "./approvalText";
import { RefusedError } from "./failure";

/** A task that is about to run. */
export interface GatedTask {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The command as the user knows it. */
  readonly display: string;
}

/** A question, with what has to be known to put it into words. */
export interface Question {
  readonly request: TaskRequest;
  /** Name of the user's profile that it goes beyond. */
  readonly own: string;
  readonly display: string;
}

export type Answer = "once" | "remember" | "show" | "no";

/** Puts a question to the user. */
export type Ask = (question: Question) => Promise<Answer>;

/** The user was asked and did not allow it: no news to the user, so that nothing but the terminal says it. */
export class NotAllowedError extends RefusedError {
  override readonly name: string = "NotAllowedError";
}

export class Gate {
  /** One question at a time: the answer to the first may be the answer to the next. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly approvals: Approvals,
    private readonly ask: Ask,
  ) {}

  /**
   * The consent for one start of a task.
   * @param own the profile that needs no question
   */
  consent(task: GatedTask, own: ResolvedProfile): Consent {
    const once = new Set<string>();
    return async (profile, facts) => {
      const beyond = loosenings(profile, own, facts);
      if (beyond.length === 0) return "known";
      const { name, file, args, cwd } = task;
      const request: TaskRequest = { name, workspace: facts.workspace, file, args, cwd, profile, beyond };
      const hash = requestHash(request);
      const isKnown = (): boolean => once.has(hash) || this.approvals.has(hash);
      if (isKnown()) return "known";
      await this.#inTurn(async () => {
        if (isKnown()) return;
        const answer = await this.ask({ request, own: own.name, display: task.display });
        if (answer === "once") once.add(hash);
        else if (answer === "remember") await this.#remember(hash, request, task.display);
        else throw notAllowed(request, own.name, answer);
      });
      return "asked";
    };
  }

  async #remember(hash: string, { name, workspace, beyond }: TaskRequest, command: string): Promise<void> {
    const since = new Date().toISOString();
    await this.approvals.add({ hash, task: name, folder: workspace, command, allows: beyond.map(allowedWords), since });
  }

  async #inTurn(act: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(act, act);
    this.#turn = mine.catch(() => undefined);
    await mine;
  }
}

function notAllowed({ beyond }: TaskRequest, own: string, answer: Answer): NotAllowedError {
  return new NotAllowedError(
    t(
      'You did not allow what this task asks beyond your profile "{0}": {1}.',
      own,
      beyond.map(allowedWords).join("; "),
    ),
    answer === "show"
      ? t("Run it again when you have read it.")
      : t('Run it again to be asked again, or with "Sandbox: Run Task in Sandbox..." under a profile that you choose.'),
    "tasks",
  );
}
