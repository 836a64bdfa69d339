// The help desk: what operators do for somebody who calls. docs/help-desk.md says why it is done so.
import express from "express";
import { NotDoneError } from "express-second-factor";
import { auditPage } from "./audit-page.js";
import { casePage, deskPage, passPage } from "./desk-pages.js";

/** As many callers as an operator speaks with at a time, and some more. */
const CASES = 5;
const REASON_LENGTH = 200;
/** Of the number that a caller reads out. */
const DIGITS = 6;
/** As many wrong numbers as end a check. */
const WRONG_NUMBERS = 3;

const NOT_DONE = {
  expired: "That is over: it was approved already, or not within 15 minutes. Ask for it again.",
  frozen: "The user has reported something, and changes are frozen. Look first at what was reported.",
  "too-many-attempts": "This user was given as many passes as there are in a year.",
};

/** Whoever is no operator is not told that there is a help desk. */
function onlyOperators(req, _res, next) {
  next(req.user.operator ? undefined : "router");
}

/** Shows the page, with what is to be said about what was just done. */
function tell(res, page, kind, text, field) {
  res.req.session.said = { kind, text, field };
  res.redirect(303, page);
}

/** What is to be said, once. */
function said(req) {
  const { said: text } = req.session;
  delete req.session.said;
  return text;
}

/** On one line, and without what cannot be seen or turns the direction of text round: another operator reads it, and decides by it. */
function reasonOf(given) {
  return typeof given === "string" ? given.replace(/[\s\p{C}]+/gu, " ").trim() : "";
}

/** What is wrong with what was filled in, and in which field; undefined where nothing is. */
function lookUpProblem(operator, person, reason) {
  if (person === undefined) return { field: "email", text: "Nobody has this address." };
  if (person.id === operator.id)
    return { field: "email", text: "Nobody does this for themselves: ask another operator." };
  if (reason === "") return { field: "reason", text: "Say why, such as the ticket: it stands in the audit trail." };
  return reason.length <= REASON_LENGTH
    ? undefined
    : { field: "reason", text: `Say why in ${REASON_LENGTH} characters at most.` };
}

/**
 * @param {object} options
 * @param {import("express-second-factor").SecondFactor} options.mfa
 * @param {import("./users.js").Users} options.users
 * @param {import("./desk-requests.js").DeskRequests} options.requests
 * @param {Awaited<ReturnType<typeof import("./audit-trail.js").openAuditTrail>>} [options.trail]
 * @param {() => number} [options.clock]
 */
export function helpDesk({ mfa, users, requests, trail, clock = Date.now }) {
  const { accounts } = mfa;
  const isOver = (check) => check?.expiresAt !== undefined && Date.parse(check.expiresAt) <= clock();
  const router = express.Router();
  // Yours should be opened by passkeys alone: { phishingResistant: true, maxAge: "5m" }. It refuses operators who act for a user, too.
  router.use(onlyOperators, mfa.require({ maxAge: "15m" }));
  router.use((_req, res, next) => {
    // Of other people: not for whoever presses "back" after the operator has logged out.
    res.set("Cache-Control", "no-store");
    next();
  });

  const showDesk = async (req, res, parts) => {
    res.send(deskPage(req, { ...parts, requests: await requests.open(), hasTrail: trail !== undefined }));
  };

  router.get("/", (req, res) => showDesk(req, res, { said: said(req) }));

  router.post("/", async (req, res) => {
    const { email } = req.body ?? {};
    const reason = reasonOf(req.body?.reason);
    const person = await users.withEmail(email);
    const problem = lookUpProblem(req.user, person, reason);
    if (problem !== undefined) {
      res.status(400);
      return showDesk(req, res, { email, reason, problem });
    }
    // In the operator's session, by user: two windows about two callers do not get mixed up.
    const others = Object.entries(req.session.cases ?? {}).filter(([id]) => id !== person.id);
    req.session.cases = Object.fromEntries([...others.slice(1 - CASES), [person.id, { reason }]]);
    res.redirect(303, `/desk/users/${person.id}`);
  });

  /** Who it is about, and who answers for it: the operator by their own session, never by a form. */
  router.use("/users/:id", async (req, res, next) => {
    const { id } = req.params;
    const open = req.session.cases?.[id];
    const person = open && (await users.find(id));
    if (!person) return res.redirect(303, "/desk");
    res.locals.case = {
      person,
      open,
      page: `/desk/users/${id}`,
      by: { actor: req.user.operator, reason: open.reason },
    };
    next();
  });

  router.get("/users/:id", async (req, res) => {
    const { person, open } = res.locals.case;
    if (isOver(open.check)) delete open.check;
    const [status, factors] = await Promise.all([accounts.status(person.id), accounts.factors(person.id)]);
    res.send(casePage(req, { person, open, status, factors, said: said(req) }));
  });

  router.post("/users/:id/caller-check", async (_req, res) => {
    const { person, open, page, by } = res.locals.case;
    const { expiresAt } = await accounts.callerCheck.begin(person.id, by);
    open.check = { expiresAt, wrong: 0 };
    res.redirect(303, `${page}#line`);
  });

  router.post("/users/:id/caller-check/number", async (req, res) => {
    const { person, open, page, by } = res.locals.case;
    const digits = String(req.body?.number ?? "").replace(/\D/g, "");
    const answer = (text) => tell(res, `${page}#line`, "alert", text, "number");
    if (digits.length !== DIGITS) return answer("Enter the six digits that the caller reads out.");
    const isCaller = await accounts.callerCheck.verify(person.id, digits, by);
    if (isCaller) {
      open.check = { doneAt: new Date(clock()).toISOString() };
      return res.redirect(303, `${page}#line`);
    }
    const wrong = (open.check?.wrong ?? 0) + 1;
    if (wrong >= WRONG_NUMBERS || isOver(open.check)) {
      delete open.check;
      return answer("That is not the number, and the check is over. Begin another one, or find out another way.");
    }
    open.check = { ...open.check, wrong };
    answer("That is not the number on their page. Three wrong ones end the check.");
  });

  /** Does nothing yet: with `approvals: 2` it is written down, and rejects with what the other operator has to name. */
  const ask = (operation, begin) => async (_req, res) => {
    const { person, page, by } = res.locals.case;
    try {
      await begin(person.id, by);
    } catch (error) {
      if (!(error instanceof NotDoneError) || error.code !== "approval-required") throw error;
      const { requestId: id, expiresAt } = error;
      await requests.add({ id, operation, userId: person.id, email: person.email, ...by, expiresAt });
      return tell(res, page, "notice", "Asked for. Another operator has to approve it within 15 minutes.");
    }
    // What would do nothing is not asked for.
    tell(res, page, "notice", "There is no second factor, so there is nothing to remove.");
  };
  router.post(
    "/users/:id/pass",
    ask("pass", (id, by) => accounts.issueTemporaryPass(id, { ...by, expiresIn: "30m" })),
  );
  router.post(
    "/users/:id/reset",
    ask("reset", (id, by) => accounts.reset(id, by)),
  );

  router.post("/approvals/:requestId", async (req, res) => {
    const request = (await requests.open()).find(({ id }) => id === req.params.requestId);
    if (request === undefined) return tell(res, "/desk", "alert", NOT_DONE.expired);
    if (req.user.id === request.userId || req.user.operator === request.actor) {
      return tell(res, "/desk", "alert", "Another operator has to approve that.");
    }
    // With the user whom the operator has read about: the id alone says nothing to them.
    const done = await accounts.approve(request.id, { actor: req.user.operator, userId: request.userId });
    await requests.remove(request);
    if (done.operation === "reset")
      return tell(res, "/desk", "notice", `Done: ${request.email} has no second factor now.`);
    // Shown this once, and kept nowhere: not in the session either, so it is the answer and not a page to go to.
    res.send(passPage(req, { ...request, ...done }));
  });

  router.post("/users/:id/cancel-recovery", async (_req, res) => {
    const { person, page, by } = res.locals.case;
    const wasUnderWay = await accounts.cancelRecovery(person.id, by);
    tell(res, page, "notice", wasUnderWay ? "The recovery is stopped." : "No recovery was under way.");
  });

  router.post("/users/:id/act", async (req, res) => {
    const { person, by } = res.locals.case;
    // From here on this is the user's login and no operator's: `views.js` shows so on every page.
    await mfa.assertLogin(req, person, by);
    res.redirect(303, "/account");
  });

  if (trail) router.get("/audit", async (req, res) => res.send(auditPage(req, await trail.verdict(), trail.file)));

  router.use((error, req, res, next) => {
    if (!(error instanceof NotDoneError)) return next(error);
    tell(res, res.locals.case?.page ?? "/desk", "alert", NOT_DONE[error.code]);
  });
  return router;
}
