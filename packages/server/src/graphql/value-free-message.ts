const VARIABLE = /^Variable "(\$[^"]*)" got invalid value (.*)$/su;
/** The last of these is where it does not fit; a value may hold what looks like one. */
const PLACE = / at "([^"\s]{1,300})"; /gu;
/** What is wrong, without what was found. */
const WRONG =
  /Field "[^"]{1,100}" (?:is not defined by type "[^"]{1,100}"|of required type "[^"]{1,100}" was not provided)|Expected (?:non-nullable )?type "[^"]{1,100}"|[A-Za-z]{1,50} cannot represent/gu;
/** Input that holds secrets, or whole documents with secrets in them. */
const SECRET_PLACE = /secret|token|password|document|value/iu;

/**
 * GraphQL's message on a value that does not fit, without the value where a secret may be in it: objects, lists, and whatever stands in a place for
 * secrets. GraphQL repeats what it was sent, and a secret is in no answer.
 */
export function valueFreeMessage(message: string): string {
  const [, variable, rest] = VARIABLE.exec(message) ?? [];
  if (variable === undefined || rest === undefined) return literalFree(message);
  const place = [...rest.matchAll(PLACE)].at(-1)?.[1];
  if (!/^[{[]/u.test(rest) && !SECRET_PLACE.test(place ?? "")) return message;
  const wrong = [...rest.matchAll(WRONG)].at(-1)?.[0] ?? "It does not fit its type";
  return `Variable "${variable}" got an invalid value${place === undefined ? "" : ` at "${place}"`}; ${wrong.replace(/ cannot represent$/u, " cannot represent it")}.`;
}

/** Values that are written in the document itself. */
function literalFree(message: string): string {
  return message.replace(/( cannot represent [^:]{1,100}|, found):? [{["].*$/su, "$1 something else.");
}
