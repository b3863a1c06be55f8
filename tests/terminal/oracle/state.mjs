// What xterm.js makes of streams. One JSON job a line on standard input, its states as one JSON line on standard output.
//   {"cols", "rows", "scrollback", "steps": [base64 | {"data": base64, "times"} | [cols, rows] | null, ...]}
//   ->   {"states": [...]} or {"error": ...}
// A step is bytes to write, the same bytes many times, a size to take, or null, at which the state is told.
// Private fields are read where the public interface does not show enough.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Terminal } = require('@xterm/headless');
const { Unicode11Addon } = require('@xterm/addon-unicode11');

const UNDERLINES = ['', 'single', 'double', 'curly', 'dotted', 'dashed'];
const RGB = 0x3000000, EXTENDED = 0x10000000, UNDERLINE = 0x10000000;
let failed = null;
process.on('uncaughtException', (error) => { if (!failed) throw error; const fail = failed; failed = null; fail(error); });

const write = (terminal, bytes) => new Promise((done, fail) => {
  failed = fail;
  terminal.write(bytes, () => { failed = null; done(); });
});

function make(job) {
  const terminal = new Terminal({ cols: job.cols, rows: job.rows, scrollback: job.scrollback, allowProposedApi: true, logLevel: 'off' });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  const seen = { title: '', answers: '', colours: {} };
  terminal.onTitleChange((title) => { seen.title = title; });
  terminal.onData((data) => { seen.answers += data; });
  terminal._core._inputHandler.onColor((events) => {
    for (const { type, index, color } of events) {
      if (type === 1) seen.colours[index] = color.join();
      else if (type === 2 && index !== undefined) delete seen.colours[index];
      else if (type === 2) for (const key of Object.keys(seen.colours)) if (key < 256) delete seen.colours[key];
    }
  });
  return [terminal, seen];
}

const colour = (mode, value) => mode === 0 ? '' : mode === RGB ? '#' + value.toString(16).padStart(6, '0') : String(value);

/** Colours and attributes as a person would tell them apart; the bits are xterm.js's own. */
function look(cell) {
  const extended = cell.bg & EXTENDED;
  const style = cell.fg & UNDERLINE ? UNDERLINES[extended ? (cell.extended._ext >> 26) & 7 || 1 : 1] : '';
  const tint = style && extended ? cell.extended.underlineColor : 0;
  const flags = ['Bold', 'Dim', 'Italic', 'Blink', 'Inverse', 'Invisible', 'Strikethrough', 'Overline'].filter((name) => cell['is' + name]());
  return [colour(cell.getFgColorMode(), cell.getFgColor()), colour(cell.getBgColorMode(), cell.getBgColor()), flags.join(' '),
    style && style + (tint & RGB ? ' ' + colour(tint & RGB, (tint & RGB) === RGB ? tint & 0xffffff : tint & 255) : '')].join('|');
}

const NOTHING = '|||';
/** What of a look shows where there is no character. */
function onBlank(key) {
  const [fg, bg, flags, style] = key.split('|');
  const drawn = flags.split(' ').filter((flag) => ['Inverse', 'Strikethrough', 'Overline'].includes(flag)).join(' ');
  return [drawn || style ? fg : '', bg, drawn, style].join('|');
}

function row(line, cols, cell) {
  const runs = [];
  for (let x = 0; x < cols; x++) {
    const has = x < line.length ? line.getCell(x, cell) : undefined;
    const characters = has ? cell.getChars() : '';
    const width = has ? cell.getWidth() : 1;
    let key = has ? look(cell) : NOTHING;
    const blank = characters === '' && width === 1 || characters === ' ';
    if (blank) key = onBlank(key);
    const text = blank ? ' ' : width === 0 && characters === '' ? '' : width === 1 && characters.length === 1 ? characters : `{${characters}:${width}}`;
    if (runs.length && runs.at(-1)[1] === key) runs.at(-1)[0] += text; else runs.push([text, key]);
  }
  if (runs.length && runs.at(-1)[1] === NOTHING) { runs.at(-1)[0] = runs.at(-1)[0].trimEnd(); if (!runs.at(-1)[0]) runs.pop(); }
  return [line.isWrapped, ...runs];
}

/** What of a row nobody sees: which cells were never written to, and which are protected or part of a link. */
function unseen(terminal, line, cell) {
  const links = terminal._core._oscLinkService;
  let cells = '';
  for (let x = 0; x < Math.min(terminal.cols, line.length); x++) {
    line.getCell(x, cell);
    const link = cell.bg & EXTENDED && cell.extended.urlId ? `<${links.getLinkData(cell.extended.urlId)?.uri}>` : '';
    cells += (cell.getChars() === '' && cell.getWidth() ? '.' : '#') + (cell.isProtected() ? '!' : '') + link;
  }
  return cells.replace(/\.+$/, '');
}

function withLook(attributes, api) {
  const cell = Object.create(Object.getPrototypeOf(api.getNullCell()));
  Object.assign(cell, { fg: attributes.fg, bg: attributes.bg, extended: attributes.extended });
  return look(cell);
}

function screen(terminal, buffer, api) {
  const lines = [], cell = api.getNullCell();
  for (let y = 0; y < buffer.ybase + terminal.rows; y++) lines.push(row(api.getLine(y), terminal.cols, cell));
  return {
    scrollback: lines.slice(0, buffer.ybase), rows: lines.slice(buffer.ybase),
    unseen: Array.from({ length: terminal.rows }, (_, y) => unseen(terminal, api.getLine(buffer.ybase + y), cell)),
    x: buffer.x, y: buffer.y, margins: [buffer.scrollTop, buffer.scrollBottom],
    tabs: Object.keys(buffer.tabs).filter((stop) => buffer.tabs[stop] && stop < terminal.cols).join(),
    saved: [Math.min(buffer.savedX, terminal.cols - 1), Math.min(Math.max(0, buffer.savedY - buffer.ybase), terminal.rows - 1), withLook(buffer.savedCurAttrData, api)],
  };
}

/** What is known of a sequence that is not complete; in the ground state, and of other strings, nothing. */
function begun(parser) {
  const state = parser.currentState;
  if (state >= 1 && state <= 5) return [parser._collect, state >= 3 ? parser._params.toArray() : []];
  return state === 8 ? parser._oscParser._id : null;
}

function state(terminal, seen) {
  const core = terminal._core, service = core.coreService, modes = service.decPrivateModes, handler = core._inputHandler;
  const { normal, alt } = core._bufferService.buffers, alternate = terminal.buffer.active.type === 'alternate';
  const charsets = core._charsetService;
  const parser = handler._parser, link = handler._curAttrData.extended.urlId;
  const name = (set) => set ? ['q', '#', '[', '@'].map((key) => set[key] ?? key).join('') : 'ascii';
  return {
    size: [terminal.cols, terminal.rows], alternate, title: seen.title, colours: seen.colours,
    normal: screen(terminal, normal, terminal.buffer.normal), behind: alternate ? screen(terminal, alt, terminal.buffer.alternate) : null,
    modes: { ...modes, cursorStyle: modes.cursorStyle ?? null, cursorBlink: modes.cursorBlink ?? null, insert: service.modes.insertMode,
      newline: !!terminal.options.convertEol, blinks: !!terminal.options.cursorBlink, hidden: !!service.isCursorHidden,
      mouse: core.coreMouseService.activeProtocol, encoding: core.coreMouseService.activeEncoding },
    pen: withLook(handler._curAttrData, terminal.buffer.active),
    charsets: [charsets.glevel, name(charsets.charset), ...[0, 1, 2, 3].map((slot) => name(charsets._charsets[slot]))],
    link: link ? core._oscLinkService.getLinkData(link)?.uri : '', protected: !!handler._curAttrData.isProtected(),
    savedCharset: name((alternate ? alt : normal).savedCharset),
    parser: parser.currentState, begun: begun(parser),
    character: handler._utf8Decoder.interim.filter((byte) => byte).join(), joins: parser.precedingJoinState ? 1 : 0, answers: seen.answers,
  };
}

async function take(terminal, step) {
  if (Array.isArray(step)) return terminal.resize(...step);
  if (typeof step === 'string') return write(terminal, Buffer.from(step, 'base64'));
  const bytes = Buffer.from(step.data, 'base64');
  for (let time = 0; time < step.times; time++) await write(terminal, bytes);
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line), [terminal, seen] = make(job), states = [];
  let answer = { states };
  try {
    for (const step of job.steps) {
      if (step === null) states.push(state(terminal, seen)); else await take(terminal, step);
    }
  } catch (error) { answer = { error: String(error.message) }; }
  terminal.dispose();
  process.stdout.write(JSON.stringify(answer) + '\n');
}
