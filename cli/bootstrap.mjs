#!/usr/bin/env node
// Plain JavaScript for Node 20 and newer: installs what is missing, then runs the rest on Node 24.
//   bootstrap.mjs <command of weft> ...     cli/src/main.ts
//   bootstrap.mjs <file>.ts ...             that file
//   bootstrap.mjs install                   nothing more
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
/** Ctrl-C reaches this process twice, from the terminal and from npm; a person's second one comes later than this. */
const SAME_SIGNAL_MS = 300;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const runningMajor = Number(process.versions.node.split('.')[0]);
const node = runningMajor >= NODE_MAJOR ? process.execPath : ownNode;

const args = process.argv.slice(2);
if (!dependenciesAreCurrent()) await installDependencies();
if (args[0] !== 'install') runOnNode24();

/** Compares the lock file with the one npm leaves in node_modules at the very end of an installation. */
function dependenciesAreCurrent() {
  const wanted = readLock('package-lock.json');
  const present = readLock('node_modules/.package-lock.json');
  if (wanted === null || present === null || !existsSync(node)) return false;
  return Object.entries(wanted.packages).every(([path, { version, resolved, optional, link }]) => {
    if (path === '' || (!path.startsWith('node_modules/') && !path.includes('/node_modules/'))) return true;
    const found = present.packages[path];
    if (found === undefined) return optional === true;
    return link === true ? found.resolved === resolved : found.version === version;
  });
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch {
    return null;
  }
}

async function installDependencies() {
  const log = join(root, '.weft', 'logs', 'npm-ci.log');
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'w');
  const npm = process.env.npm_execpath;
  const [command, before] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const started = Date.now();
  const tell = () => `Installing dependencies with npm ci (${Math.round((Date.now() - started) / 1000)} s)`;
  process.stderr.write(process.stderr.isTTY ? tell() : 'Installing dependencies with npm ci\n');
  const timer = process.stderr.isTTY && setInterval(() => process.stderr.write(`\r${tell()}`), 1000);
  const code = await new Promise((resolve) => {
    const child = spawn(command, [...before, 'ci', '--loglevel=error', '--no-progress', '--no-audit', '--no-fund'], {
      cwd: root,
      stdio: ['ignore', output, output],
    });
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        child.kill(signal);
        process.exit(1);
      });
    }
    child.once('error', () => resolve(127)).once('close', resolve);
  });
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  clearInterval(timer);
  closeSync(output);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (code !== 0) fail(installationProblem(code, log));
  if (!existsSync(node))
    fail(`npm ci brought no Node ${NODE_MAJOR}; run: npm rebuild node, or install Node ${NODE_MAJOR}`);
}

function installationProblem(code, log) {
  if (code === 127) return 'npm was not found; install Node.js with npm';
  const lines = readFileSync(log, 'utf8').split('\n');
  const said = lines.filter((line) => /^npm error (?!(code|syscall|path|errno|dest) )./.test(line));
  const reason = (said[0] ?? lines.findLast((line) => line !== '') ?? `exit code ${code}`).replace('npm error ', '');
  return `npm ci failed: ${reason}; see ${relative(process.cwd(), log)}, then run: npm ci --loglevel=warn`;
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function runOnNode24() {
  const script = args[0]?.endsWith('.ts')
    ? [join(root, args.shift())]
    : [...environmentFile(), join(root, 'cli', 'src', 'main.ts')];
  const child = spawn(node, [...script, ...args], {
    // Out of the terminal's process group, so that every signal takes the one way through here.
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'weft-node') },
  });
  const last = new Map();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (Date.now() - (last.get(signal) ?? 0) < SAME_SIGNAL_MS) return;
      last.set(signal, Date.now());
      child.kill(signal);
    });
  }
  // npm that is killed tells nobody, and a shell between npm and us dies of a signal without passing it on.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event !== undefined) {
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    }, 500);
    watch.unref();
  }
  child.once('error', (error) => fail(`Node ${NODE_MAJOR} could not be run: ${error.message}; run: npm rebuild node`));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of SIGNALS) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

function environmentFile() {
  const file = join(root, '.env');
  return existsSync(file) ? [`--env-file=${file}`] : [];
}
