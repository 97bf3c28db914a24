// The invented company of the demo: its departments, and people composed from lists of names.
import type { Random } from './random.js';

export interface Department {
  readonly id: number;
  readonly name: string;
  readonly location: string;
}

export interface Person {
  readonly firstName: string;
  readonly lastName: string;
}

const departmentNames = [
  ['Engineering', 'Hamburg'],
  ['Product', 'Hamburg'],
  ['Design', 'Lisbon'],
  ['Customer Support', 'Dublin'],
  ['Sales', 'Dublin'],
  ['Marketing', 'Lisbon'],
  ['Finance', 'Zurich'],
  ['People', 'Zurich'],
  ['Legal', 'Zurich'],
  ['Logistics', 'Rotterdam'],
] as const;

export const departments: readonly Department[] = departmentNames.map(([name, location], i) => ({
  id: i + 1,
  name,
  location,
}));

/** A career: a raise of rank goes one step to the right. Salaries in hundreds at entry. */
export const ranks = [
  { title: 'Trainee', entry: 320 },
  { title: 'Associate', entry: 440 },
  { title: 'Specialist', entry: 580 },
  { title: 'Senior Specialist', entry: 740 },
  { title: 'Lead', entry: 920 },
  { title: 'Director', entry: 1250 },
] as const;

/** How many of a hundred people have each rank. */
const rankShares = [12, 30, 32, 16, 8, 2];

const firstNames = (
  'Ada Aino Akira Alba Amara Anselm Arjun Astrid Beatriz Bela Bram Carmen Chidi Clara Dagny Darius Dilara Edda Elif Emil Esra ' +
  'Farid Fenja Fiona Gideon Greta Hana Hugo Ida Ilias Imani Ines Ivo Jalal Jonna Jorge Kaja Kenji Lale Lars Leila Linnea Luca ' +
  'Maeve Malik Marta Mei Milan Mira Nadia Nils Noor Odette Oskar Paloma Pavel Priya Quentin Rania Remy Rosa Samir Selma Sofia ' +
  'Tarek Thea Tomas Uma Valentin Vera Wanja Wim Xenia Yara Yusuf Zadie Zora'
).split(' ');

const lastNameHeads =
  'Ahl Berg Brand Dal Eck Falk Feld Gren Hald Hol Kalt Kron Lang Lind Mar Nor Oster Palm Rav Rosen Sand Sol Stein Thor Vall Wald West Winter'.split(
    ' ',
  );
const lastNameTails = [
  'au',
  'bach',
  'berg',
  'dahl',
  'er',
  'gaard',
  'hagen',
  'holm',
  'kamp',
  'mann',
  'sen',
  'stad',
  'ström',
  'wick',
];

export function makePerson(random: Random): Person {
  return {
    firstName: random.pick(firstNames),
    lastName: random.pick(lastNameHeads) + random.pick(lastNameTails),
  };
}

export function makeRank(random: Random): number {
  let left = random.below(100);
  for (const [rank, share] of rankShares.entries()) {
    left -= share;
    if (left < 0) return rank;
  }
  return 0;
}

/** Whole hundreds, up to a fifth above the rank's entry. */
export function makeSalary(rank: number, random: Random): number {
  const { entry } = ranks[rank]!;
  return (entry + random.below(Math.round(entry / 5))) * 100;
}

/** The id makes it unique, as the table demands. */
export function emailOf({ firstName, lastName }: Person, id: number): string {
  const plain = `${firstName}.${lastName}`
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '');
  return `${plain}.${id}@company.example`;
}
