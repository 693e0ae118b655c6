import { test } from "node:test";
import assert from "node:assert/strict";
import { type Metric, renderProcesses } from "../../app/process/metrics.ts";
import { Question } from "../../app/http/question.ts";
import { TestApp } from "../support/app/test_app.ts";

test("METRICS_TOKEN refuses requests without the exact token", async () => {
  await using app = await TestApp.create({ METRICS_TOKEN: "s3cret" });
  const status = async (headers: Record<string, string>) => {
    const response = await app.browser().request("/metrics", { headers });
    if (response.status !== 401) return response.status;
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal((await response.json()).code, "TOKEN_REQUIRED");
    return 401;
  };
  const wrong = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer s3cre",
    "Bearer s3cret2",
    "Bearer S3CRET",
    "Bearer s3cret, Bearer s3cret",
    "Basic s3cret",
    "s3cret",
  ];
  assert.equal(await status({}), 401);
  for (const authorization of wrong) {
    assert.equal(await status({ authorization }), 401, authorization);
  }
  assert.equal(await status({ authorization: "Bearer s3cret" }), 200);
  assert.equal(await status({ authorization: "bearer  s3cret" }), 200);
  const query = await app.browser().request("/metrics?token=s3cret");
  assert.equal(query.status, 401);
});

test("METRICS_TOKEN does not affect users' pages, nor lets users read /metrics", async () => {
  await using app = await TestApp.create({ METRICS_TOKEN: "s3cret" });
  const ada = app.browser();
  await ada.signIn("ada");
  assert.equal((await ada.request("/metrics")).status, 401);
  assert.equal((await ada.request("/api/me")).status, 200);
});

test("renderProcesses() writes each metric once, with process labels, and marks missing processes", () => {
  const metrics = (open: number): readonly Metric[] => [
    ["open", "gauge", "Open.", open],
    ["refused_total", "counter", "Refused.", [[{ code: "A" }, 1], [{ code: "B" }, open]]],
    ["none_total", "counter", "None.", []],
  ];
  const text = renderProcesses([
    { pid: 7, metrics: metrics(1) },
    { pid: 8, metrics: metrics(2) },
    { pid: 9, metrics: undefined },
  ]);
  assert.equal(
    text,
    `# HELP sluice_process_up Whether the process reported its metrics.
# TYPE sluice_process_up gauge
sluice_process_up{process="7"} 1
sluice_process_up{process="8"} 1
sluice_process_up{process="9"} 0
# HELP open Open.
# TYPE open gauge
open{process="7"} 1
open{process="8"} 2
# HELP refused_total Refused.
# TYPE refused_total counter
refused_total{process="7",code="A"} 1
refused_total{process="7",code="B"} 1
refused_total{process="8",code="A"} 1
refused_total{process="8",code="B"} 2
# HELP none_total None.
# TYPE none_total counter
`,
  );
});

test("Question.ask() sends once until it is answered, and returns undefined after its limit", async () => {
  let sent = 0;
  const question = new Question<string>(() => sent++, 5);
  assert.deepEqual(await Promise.all([question.ask(), question.ask()]), [undefined, undefined]);
  assert.equal(await question.ask(), undefined);
  assert.equal(sent, 1);
  question.answer("late");
  const answers = [question.ask(), question.ask()];
  assert.equal(sent, 2);
  question.answer("yes");
  assert.deepEqual(await Promise.all(answers), ["yes", "yes"]);
});
