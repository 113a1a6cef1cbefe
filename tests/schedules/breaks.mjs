#!/usr/bin/env node
// Breaks the gateway on purpose, in one place after the other, and looks whether the schedules notice: each row says which
// invariant must be found broken. A row that no longer applies fails as well, so that the table follows the source.
//
//   node tests/schedules/breaks.mjs [WORD]...     only rows whose file or description has one of these words
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

// How many schedules a break may take to be found.
const MOST = 20_000;

const breaks = [
  {
    invariant: 'I0',
    what: "a failure of Kratos' answers for it an hour",
    file: 'shared/session/src/cache.rs',
    from: 'const FAILURE_STANDS: u64 = 1;',
    to: 'const FAILURE_STANDS: u64 = 3_600;',
  },
  {
    invariant: 'I0',
    what: 'who asked never says that it is done',
    file: 'shared/gateway/src/whoami.rs',
    from: 'self.gateway.memory().land(&self.key);',
    to: 'let _ = &self.gateway;',
  },
  {
    invariant: 'I1',
    what: 'an inactive session counts',
    file: 'shared/session/src/whoami.rs',
    from: 'Some(active) => active == &Value::Bool(true),',
    to: 'Some(_) => true,',
  },
  {
    invariant: 'I1',
    what: 'an answer is remembered without the credential it is about',
    file: 'shared/session/src/key.rs',
    from: `        for (name, value) in sent_along {
            part(&mut hash, name.as_bytes());
            part(&mut hash, value);
        }
        // Keeps the last header from being read as the credential.
        part(&mut hash, b"");
        let (name, value) = credential.header();
        part(&mut hash, name.as_bytes());
        part(&mut hash, value.as_bytes());`,
    to: '        let _ = (sent_along.into_iter().count(), credential);',
  },
  {
    invariant: 'I2',
    what: 'a logout that passes through is not forgotten',
    file: 'shared/gateway/src/gateway.rs',
    from: 'self.memory.forget(credential, runtime.now());',
    to: 'let _ = credential;',
  },
  {
    invariant: 'I2',
    what: 'an instance looks for logouts elsewhere once a minute',
    file: 'shared/gateway/src/second_tier/mark.rs',
    from: 'const BELIEVED: u64 = 1_000;',
    to: 'const BELIEVED: u64 = 60_000;',
  },
  {
    invariant: 'I2',
    what: 'what was not looked up for a logout since Kratos was asked counts as looked up when it answered',
    file: 'shared/gateway/src/memory.rs',
    from: 'confirmed: Cell::new(moments.asked),',
    to: 'confirmed: Cell::new(moments.now),',
  },
  {
    invariant: 'I2',
    what: 'a mark makes nothing void',
    file: 'shared/session/src/marks.rs',
    from: '!self.subjects.is_empty()',
    to: 'self.subjects.is_empty()',
  },
  {
    invariant: 'I2',
    what: 'marks may be known as late as one likes',
    file: 'shared/gateway/src/revocations.rs',
    from: 'known.is_of_this_request() || has_news || self.age(known, now) <= check',
    to: 'known.is_of_this_request() || has_news || self.age(known, now) >= check || check > 0',
  },
  {
    invariant: 'I2',
    what: 'what is stale serves twenty times as long',
    file: 'shared/session/src/freshness.rs',
    from: 'revalidate_until: stale(settings.stale_while_revalidate),',
    to: 'revalidate_until: stale(settings.stale_while_revalidate.saturating_mul(20)),',
  },
  {
    invariant: 'I3',
    what: 'an answer is remembered without the credential it is about',
    file: 'shared/session/src/key.rs',
    from: `        for (name, value) in sent_along {
            part(&mut hash, name.as_bytes());
            part(&mut hash, value);
        }
        // Keeps the last header from being read as the credential.
        part(&mut hash, b"");
        let (name, value) = credential.header();
        part(&mut hash, name.as_bytes());
        part(&mut hash, value.as_bytes());`,
    to: '        let _ = (sent_along.into_iter().count(), credential);',
  },
  {
    invariant: 'I3',
    what: 'a record in the store opens under any name',
    file: 'shared/session/src/record.rs',
    from: 'format!("{until} {name}").into_bytes()',
    to: '{ let _ = (until, name); Vec::new() }',
  },
  {
    invariant: 'I3',
    what: 'a token is remembered without its claims',
    file: 'shared/token/src/cache.rs',
    from: '        claims.as_bytes(),\n',
    to: '',
  },
  {
    invariant: 'I4',
    what: '404 and 418 are taken for a refusal',
    file: 'shared/session/src/whoami.rs',
    from: '!matches!(status, 401 | 403)',
    to: '!matches!(status, 401 | 403 | 404 | 418)',
  },
  {
    invariant: 'I4',
    what: 'no connection to Kratos is taken for a refusal',
    file: 'shared/gateway/src/whoami.rs',
    from: 'failed(FailureKind::Unreachable, "whoami cannot be reached"),',
    to: 'Verdict::Refused,',
  },
  {
    invariant: 'I4',
    what: 'the ceiling is two minutes higher',
    file: 'shared/session/src/freshness.rs',
    from: 'fallback_until: stale(settings.stale_if_error),',
    to: 'fallback_until: stale(settings.stale_if_error.saturating_add(120)),',
  },
  {
    invariant: 'I4',
    what: '503 does not say when to try again',
    file: 'shared/gateway/src/authenticators/session_check.rs',
    from: '"The session could not be checked; please try again").with_header(\n            RETRY_AFTER,',
    to: '"The session could not be checked; please try again").with_header(\n            http::header::AGE,',
  },
  {
    invariant: 'I5',
    what: 'a key is gone when the next one signs',
    file: 'shared/token/src/rotation.rs',
    from: 'self.max_ttl.saturating_add(self.handover())',
    to: '0',
  },
  {
    invariant: 'I5',
    what: 'while the store fails, the known keys stay into a period whose key is not among them',
    file: 'shared/gateway/src/keys.rs',
    from: 'self.ring.has_key_of(last)',
    to: '!self.ring.is_empty()',
  },
  {
    invariant: 'I5',
    what: 'only the key that signs is published',
    file: 'shared/token/src/rotation.rs',
    from: '!matches!(self, Self::Gone)',
    to: 'matches!(self, Self::Signing)',
  },
  {
    invariant: 'I5',
    what: "a first key signs before it is certain whose it is, where the store cannot add in one step",
    file: 'shared/gateway/src/keys.rs',
    from: 'self.read.abs_diff(created) < seconds',
    to: 'self.read < created && seconds > 0',
  },
  {
    invariant: 'I6',
    what: 'a session is stored as it is',
    file: 'shared/session/src/record.rs',
    from: 'Ok(format!("{until} {}", URL_SAFE_NO_PAD.encode(sealed)))',
    to: 'Ok(format!("{until} {}", String::from_utf8_lossy(if sealed.is_empty() { &sealed } else { &plain })))',
  },
  {
    invariant: 'I6',
    what: 'a private key is stored as it is',
    file: 'shared/token/src/entry.rs',
    from: 'entry.sealed = encode(&sealed);',
    to: 'let open = key.secret_bytes();\n        entry.sealed = encode(if sealed.is_empty() { &sealed } else { open.as_ref() });',
  },
  {
    invariant: 'I6',
    what: "a request's headers are logged",
    file: 'shared/gateway/src/gateway.rs',
    from: 'trace.host = request.authority();',
    to: 'trace.host = format!("{:?}", request.headers);',
  },
  {
    invariant: 'I7',
    what: 'whoever comes while one asks, asks as well',
    file: 'shared/session/src/flight.rs',
    from: 'if self.is_up(&key, now) {',
    to: 'if self.is_up(&key, now) && now == 0 {',
  },
  {
    invariant: 'I7',
    what: 'an instance asks though another has claimed the question',
    file: 'shared/gateway/src/second_tier/claim.rs',
    from: `    added.unwrap_or_else(|error| {
        complain(gateway, runtime, &error);
        true
    })`,
    to: `    added.unwrap_or_else(|error| {
        complain(gateway, runtime, &error);
        true
    }) || until > 0`,
  },
];

const words = process.argv.slice(2);
const rows = breaks.filter((row) => words.length === 0 || words.some((word) => `${row.invariant} ${row.file} ${row.what}`.includes(word)));

const tree = mkdtempSync(join(tmpdir(), 'edgekeeper-breaks-'));
process.on('exit', () => rmSync(tree, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'shared', 'edge'], { cwd: root });
for (const file of listed.toString().split('\0').filter(Boolean)) {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  copyFileSync(join(root, file), join(tree, file));
}

/** Plays schedules until the invariant breaks: the seed that broke it, or why there is none. */
function play(invariant) {
  const environment = {
    ...process.env,
    // Of its own: cargo does not tell trees apart by where they are.
    CARGO_TARGET_DIR: resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'breaks'),
    CARGO_PROFILE_DEV_DEBUG: '0',
    RUSTFLAGS: '-Awarnings',
    SCHEDULES: String(MOST),
    SEED: '1',
    ...(invariant ? { ONLY: invariant } : { SCHEDULES: '300' }),
  };
  const command = ['test', '--quiet', '-p', 'edgekeeper-gateway', '--test', 'schedules'];
  const built = spawnSync('cargo', [...command, '--no-run'], { cwd: tree, env: environment, encoding: 'utf8' });
  if (built.status !== 0) return { failure: `does not compile:\n${built.stderr}` };
  const played = spawnSync('cargo', command, { cwd: tree, env: environment, encoding: 'utf8' });
  const found = /seed (\d+) breaks (I\d): (.*)/.exec(`${played.stdout}${played.stderr}`);
  if (found) return { seed: Number(found[1]), invariant: found[2], said: found[3] };
  return { failure: played.status === 0 ? undefined : `${played.stdout}${played.stderr}`.slice(-2_000) };
}

let failed = 0;
function say(right, text) {
  if (!right) failed += 1;
  console.log(`${right ? 'ok  ' : 'FAIL'} ${text}`);
}

const whole = play();
say(!whole.invariant && !whole.failure, `unbroken: ${whole.said ?? whole.failure ?? 'no invariant is broken'}`);
for (const row of rows) {
  const path = join(tree, row.file);
  const source = readFileSync(path, 'utf8');
  if (source.split(row.from).length !== 2) {
    say(false, `${row.invariant}  ${row.what}: ${row.file} does not have its text once; the row must follow it`);
    continue;
  }
  writeFileSync(path, source.replace(row.from, () => row.to));
  const { failure, seed, invariant, said } = play(row.invariant);
  writeFileSync(path, source);
  const result = failure ?? (invariant ? `schedule ${seed}: ${said}` : `not found in ${MOST} schedules`);
  say(invariant === row.invariant, `${row.invariant}  ${row.what} (${row.file})\n       ${result}`);
}
console.log(`schedules: ${rows.length - failed} of ${rows.length} breaks found`);
process.exitCode = failed ? 1 : 0;
