// @clickhouse/client against a running server, as an application uses it. Ends with an error at the first difference.

import { deepStrictEqual as same, rejects } from 'node:assert';
import { readFileSync } from 'node:fs';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';

const url = `http://${process.env.CAIRN_HOST}:${process.env.CAIRN_PORT}`;
const baseS = Number(process.env.CAIRN_BASE_S);

const rows = async (client, query, options = {}) =>
  (await client.query({ query, format: 'JSONEachRow', ...options })).json();

async function connects(client) {
  same((await client.ping()).success, true);
  same((await client.ping({ select: true })).success, true);
  const { query_id: id } = await client.query({ query: 'SELECT 1', query_id: 'from-node' });
  same(id, 'from-node');
}

async function readsLogs(client) {
  const found = await rows(client, 'SELECT * FROM otel_logs ORDER BY Timestamp');
  same(found.map((row) => row.ServiceName), ['checkout', 'checkout', 'cart']);
  same(found[0].Body, 'charging failed: it\'s "declined" \\ déjà vu 世界\tend');
  same(found[0].LogAttributes, {
    'order.id': '4711',
    reason: "card's limit",
    text: 'grüße, 世界',
  });
  same(found[0].Timestamp.slice(-10), '.123456789');
  same(found[0].SeverityNumber, 17);
  same(found[1].LogAttributes, {});
}

async function readsTraces(client) {
  const found = await rows(client, 'SELECT * FROM otel_traces ORDER BY Timestamp');
  same(found.map((row) => row.SpanName), ['POST /checkout', 'charge']);
  same(found[0]['Events.Attributes'], [{ depth: '3' }, {}]);
  same(found[0]['Links.TraceId'], ['4bf92f3577b34da6a3ce929d0e0e4736']);
  same(found[0].Duration, 500000000);
}

async function readsTypes(client) {
  const query =
    'SELECT toUInt64(18446744073709551615) AS u, CAST(NULL AS Nullable(String)) AS n, ' +
    "[1, 2] AS a, map('k', 1) AS m, (1, 'x') AS t, toDate('2026-08-20') AS d, true AS b";
  const quoted = { output_format_json_quote_64bit_integers: 1 };
  const expected = {
    u: '18446744073709551615',
    n: null,
    a: [1, 2],
    m: { k: 1 },
    t: [1, 'x'],
    d: '2026-08-20',
    b: true,
  };
  same(await rows(client, query, { clickhouse_settings: quoted }), [expected]);
  const result = await client.query({ query: 'SELECT 1 AS a', format: 'JSON' });
  const whole = await result.json();
  same([whole.rows, whole.meta], [1, [{ name: 'a', type: 'UInt8' }]]);
  const csv = await client.query({ query: "SELECT 1, 'x'", format: 'CSV' });
  same(await csv.text(), '1,"x"\n');
}

async function takesParameters(client) {
  const found = await rows(
    client,
    'SELECT {s:String} AS s, {n:Int32} AS n, {a:Array(String)} AS a, {m:Map(String, UInt8)} AS m, ' +
      '{d:DateTime} AS d, {b:Bool} AS b, {o:Nullable(String)} AS o',
    {
      query_params: {
        s: "it's\ta tab\nand \\",
        n: -5,
        a: ['x', "y'z"],
        m: { k: 7 },
        d: new Date(Date.UTC(2026, 7, 20, 1, 2, 3)),
        b: true,
        o: null,
      },
    },
  );
  const d = '2026-08-20 01:02:03';
  same(found, [{ s: "it's\ta tab\nand \\", n: -5, a: ['x', "y'z"], m: { k: 7 }, d, b: true, o: null }]);
  const count = await rows(client, 'SELECT count() AS c FROM {t:Identifier} WHERE Timestamp >= {from:DateTime}', {
    query_params: { t: 'otel_logs', from: baseS },
  });
  same(Number(count[0].c), 3);
}

async function streams(client) {
  const result = await client.query({
    query: 'SELECT number, toString(number) AS s FROM numbers(200000)',
    format: 'JSONCompactEachRow',
  });
  let total = 0;
  for await (const some of result.stream()) total += some.length;
  same(total, 200000);
}

async function fails(client) {
  const code = (number) => (error) => String(error.code) === String(number);
  await rejects(rows(client, 'SELEKT 1'), code(62));
  await rejects(rows(client, 'SELECT * FROM nosuch'), code(60));
  await rejects(rows(client, 'SELECT nosuch(1)'), code(46));
  const late = "SELECT throwIf(number = 250000, 'boom') FROM numbers(300000)";
  const stream = async () => {
    const result = await client.query({ query: late, format: 'JSONEachRow' });
    for await (const some of result.stream()) some.length;
  };
  // Node drops what is buffered when a connection breaks: the reason may be lost, the failure is not.
  await rejects(stream(), (error) => /boom|aborted/.test(error.message));
}

async function cancels(client) {
  const stop = new AbortController();
  const query = 'SELECT count() FROM numbers(1000000000000)';
  const asked = client.query({ query, abort_signal: stop.signal });
  setTimeout(() => stop.abort(), 200);
  await rejects(asked);
  same((await client.ping()).success, true);
}

async function inserts(client) {
  const values = [
    { Timestamp: `${baseS}.5`, ServiceName: 'written', Body: 'by Node', LogAttributes: { a: "b'c" } },
    { Timestamp: `${baseS}.6`, ServiceName: 'written', Body: '二' },
  ];
  await client.insert({ table: 'otel_logs', values, format: 'JSONEachRow' });
  const query = "SELECT Body, LogAttributes FROM otel_logs WHERE ServiceName = 'written' ORDER BY Timestamp";
  same(await rows(client, query), [
    { Body: 'by Node', LogAttributes: { a: "b'c" } },
    { Body: '二', LogAttributes: {} },
  ]);
}

const compression = { request: true, response: true };
for (const options of [{}, { compression }]) {
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF }, ...options });
  for (const step of [connects, readsLogs, readsTraces, readsTypes, takesParameters, streams, fails, cancels]) {
    try {
      await step(client);
    } catch (error) {
      console.error(`${step.name} with ${JSON.stringify(options)}`);
      throw error;
    }
  }
  await client.close();
}
const writer = createClient({ url, compression });
await inserts(writer);
await writer.close();
const path = new URL('node_modules/@clickhouse/client/package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(path));
console.log(`@clickhouse/client ${version} (Node ${process.versions.node}): ok`);
