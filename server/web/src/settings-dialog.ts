// The settings, each taking effect as it is changed, so that it can be seen.

import { openDialog } from './dialogs.ts';
import { make } from './elements.ts';
import { SCHEMES, type Scheme } from './schemes.ts';
import { DEFAULTS, LARGEST_FONT, settings, SMALLEST_FONT, type Settings } from './settings.ts';

type Texts<Name extends keyof Settings> = Record<Settings[Name] & string, string>;

export function openSettings(): void {
  const usual = make('button', { type: 'button' }, 'Defaults');
  const dialog = openDialog('Settings', form(), [{ text: 'Done', value: '', primary: true }], 'settings');
  dialog.querySelector('.buttons')?.prepend(usual);
  usual.onclick = () => {
    settings.set(DEFAULTS);
    dialog.close();
    openSettings();
  };
}

function form(): Node[] {
  return [
    group('Appearance',
      choice('Light or dark', 'appearance', { system: 'As the system', light: 'Light', dark: 'Dark' }),
      swatches('Dark colours', 'dark', SCHEMES.filter(({ dark }) => dark)),
      swatches('Light colours', 'light', SCHEMES.filter(({ dark }) => !dark)),
      font(),
      size(),
      choice('Cursor', 'cursor', { block: 'Block', bar: 'Bar', underline: 'Underline' }),
      check('Blinking cursor', 'blink'),
    ),
    group('Behaviour',
      choice('Bell', 'bell', { none: 'Ignored', seen: 'Seen', heard: 'Seen and heard' }),
      choice('Copying by programs', 'copying', { ask: 'Ask', always: 'Allow', never: 'Refuse' }),
      check('Ask before pasted lines are run at once', 'pasteCheck'),
      choice('Key bar', 'keyBar', { touch: 'On touch screens', always: 'Always', never: 'Never' }),
      check('Screen reader mode', 'screenReader'),
    ),
  ];
}

function group(title: string, ...content: Node[]): Node {
  return make('fieldset', {}, make('legend', {}, title), ...content);
}

function row(text: string, control: HTMLElement): Node {
  return make('label', { class: 'row' }, make('span', {}, text), control);
}

function choice<Name extends 'appearance' | 'cursor' | 'bell' | 'copying' | 'keyBar'>(
  text: string, name: Name, texts: Texts<Name>,
): Node {
  const options = Object.entries<string>(texts).map(([value, label]) =>
    make('option', { value, selected: settings.now[name] === value }, label));
  const select = make('select', {}, ...options);
  select.onchange = () => settings.set({ [name]: select.value });
  return row(text, select);
}

function check(text: string, name: 'blink' | 'pasteCheck' | 'screenReader'): Node {
  const box = make('input', { type: 'checkbox', checked: settings.now[name] });
  box.onchange = () => settings.set({ [name]: box.checked });
  return make('label', { class: 'row' }, make('span', {}, text), box);
}

function font(): Node {
  const input = make('input', { type: 'text', value: settings.now.font, placeholder: 'The system’s own', spellcheck: 'false' });
  input.onchange = () => settings.set({ font: input.value.trim() });
  return row('Font', input);
}

function size(): Node {
  const input = make('input', {
    type: 'number', min: String(SMALLEST_FONT), max: String(LARGEST_FONT), value: String(settings.now.fontSize),
  });
  input.onchange = () => {
    if (input.validity.valid && input.value !== '') settings.set({ fontSize: Number(input.value) });
  };
  return row('Size', input);
}

/** Schemes to choose from by their looks. */
function swatches(text: string, name: 'dark' | 'light', schemes: readonly Scheme[]): Node {
  const buttons = schemes.map((scheme) => {
    const radio = make('input', { type: 'radio', name, value: scheme.name, checked: settings.now[name] === scheme.name });
    radio.onchange = () => settings.set({ [name]: scheme.name });
    const dots = [1, 2, 3, 4, 5, 6].map((i) => {
      const dot = make('i', {});
      dot.style.background = scheme.colours[i] ?? scheme.text;
      return dot;
    });
    const label = make('label', { class: 'swatch' }, radio, make('span', {}, scheme.name), make('span', { class: 'dots' }, ...dots));
    label.style.background = scheme.ground;
    label.style.color = scheme.text;
    label.style.setProperty('--accent', scheme.accent);
    return label;
  });
  return make('div', { class: 'row swatches', role: 'radiogroup', 'aria-label': text }, make('span', {}, text), make('div', {}, ...buttons));
}
