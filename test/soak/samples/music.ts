// A shop that sells music, in the shape of Chinook: a table that refers to itself, a table that is all key, wide texts of names from
// everywhere, money, and invoices that are written with their lines in one transaction.
import type { Dice } from '../../support/harness/dice.js';
import { inserts, upTo, type Sample } from './sample.js';

const foreign = (column: string, table: string, key: string, rule = ''): string =>
  `FOREIGN KEY (${column}) REFERENCES ${table} (${key}) ${rule}`;

function schema(): readonly string[] {
  return [
    'CREATE TABLE `Artist` (`ArtistId` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `Name` VARCHAR(120))',
    `CREATE TABLE \`Album\` (\`AlbumId\` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \`Title\` VARCHAR(160) NOT NULL, \`ArtistId\` INT NOT NULL,
      ${foreign('`ArtistId`', '`Artist`', '`ArtistId`', 'ON DELETE CASCADE')})`,
    'CREATE TABLE `Genre` (`GenreId` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `Name` VARCHAR(120))',
    'CREATE TABLE `MediaType` (`MediaTypeId` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `Name` VARCHAR(120) CHARACTER SET latin1)',
    `CREATE TABLE \`Employee\` (\`EmployeeId\` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \`LastName\` VARCHAR(20) NOT NULL, \`ReportsTo\` INT,
      \`BirthDate\` DATETIME, \`HireDate\` DATE, ${foreign('`ReportsTo`', '`Employee`', '`EmployeeId`', 'ON DELETE SET NULL')})`,
    `CREATE TABLE \`Customer\` (\`CustomerId\` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \`FirstName\` VARCHAR(40) NOT NULL,
      \`Country\` VARCHAR(40), \`Email\` VARCHAR(60) NOT NULL, \`SupportRepId\` INT,
      ${foreign('`SupportRepId`', '`Employee`', '`EmployeeId`', 'ON DELETE SET NULL')})`,
    `CREATE TABLE \`Track\` (\`TrackId\` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \`Name\` VARCHAR(200) NOT NULL, \`AlbumId\` INT,
      \`MediaTypeId\` INT NOT NULL, \`GenreId\` INT, \`Composer\` VARCHAR(220), \`Milliseconds\` INT NOT NULL, \`Bytes\` BIGINT,
      \`UnitPrice\` DECIMAL(10,2) NOT NULL, ${foreign('`AlbumId`', '`Album`', '`AlbumId`', 'ON DELETE CASCADE')},
      ${foreign('`GenreId`', '`Genre`', '`GenreId`', 'ON DELETE SET NULL')}, ${foreign('`MediaTypeId`', '`MediaType`', '`MediaTypeId`')})`,
    `CREATE TABLE \`Invoice\` (\`InvoiceId\` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \`CustomerId\` INT NOT NULL,
      \`InvoiceDate\` DATETIME(3) NOT NULL, \`BillingCity\` VARCHAR(40), \`Total\` DECIMAL(10,2) NOT NULL,
      ${foreign('`CustomerId`', '`Customer`', '`CustomerId`', 'ON DELETE CASCADE')})`,
    `CREATE TABLE \`InvoiceLine\` (\`InvoiceLineId\` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \`InvoiceId\` INT NOT NULL, \`TrackId\` INT NOT NULL,
      \`UnitPrice\` DECIMAL(10,2) NOT NULL, \`Quantity\` INT NOT NULL, ${foreign('`InvoiceId`', '`Invoice`', '`InvoiceId`', 'ON DELETE CASCADE')},
      ${foreign('`TrackId`', '`Track`', '`TrackId`', 'ON DELETE CASCADE')})`,
    'CREATE TABLE `Playlist` (`PlaylistId` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `Name` VARCHAR(120))',
    `CREATE TABLE \`PlaylistTrack\` (\`PlaylistId\` INT NOT NULL, \`TrackId\` INT NOT NULL, PRIMARY KEY (\`PlaylistId\`, \`TrackId\`),
      ${foreign('`PlaylistId`', '`Playlist`', '`PlaylistId`', 'ON DELETE CASCADE')},
      ${foreign('`TrackId`', '`Track`', '`TrackId`', 'ON DELETE CASCADE')})`,
    `CREATE PROCEDURE buy(IN customer INT, IN first_track INT, IN many INT)
      BEGIN
        DECLARE bill INT;
        INSERT INTO Invoice (CustomerId, InvoiceDate, BillingCity, Total) VALUES (customer, NOW(3), 'Praha', 0);
        SET bill = LAST_INSERT_ID();
        INSERT INTO InvoiceLine (InvoiceId, TrackId, UnitPrice, Quantity)
          SELECT bill, TrackId, UnitPrice, 1 + TrackId % 3 FROM Track WHERE TrackId BETWEEN first_track AND first_track + many;
        UPDATE Invoice SET Total = (SELECT COALESCE(SUM(UnitPrice * Quantity), 0) FROM InvoiceLine WHERE InvoiceId = bill)
          WHERE InvoiceId = bill;
      END`,
  ];
}

const names = ['AC/DC', 'Antônio Carlos Jobim', 'Motörhead', '椎名林檎', 'Björk', 'Пикник', "Guns N'' Roses", 'BBC 🎻'];

function* fill(dice: Dice, size: number): Iterable<string> {
  const name = (): string => `'${dice.pick(names)} ${dice.between(1, 999)}'`;
  const tracks = 200 * size;
  yield* inserts(
    '`Artist` (`Name`)',
    upTo(20 * size).map(() => dice.pick(['NULL', name(), name()])),
  );
  yield* inserts(
    '`Album` (`Title`, `ArtistId`)',
    upTo(50 * size).map(() => `${name()}, ${dice.between(1, 20 * size)}`),
  );
  yield* inserts('`Genre` (`Name`)', upTo(12).map(name));
  yield* inserts('`MediaType` (`Name`)', ["'MPEG'", "'Café'", "'AAC'"]);
  yield* inserts('`Employee` (`LastName`, `ReportsTo`, `BirthDate`, `HireDate`)', [
    "'Adams', NULL, '1962-02-18 00:00:00', '2002-08-14'",
    ...upTo(7).map(
      (boss) => `'Employee ${boss}', ${dice.between(1, boss)}, '19${50 + boss}-03-0${boss} 12:00:00', NULL`,
    ),
  ]);
  yield* inserts(
    '`Customer` (`FirstName`, `Country`, `Email`, `SupportRepId`)',
    upTo(30 * size).map(
      (id) => `${name()}, ${dice.pick(['NULL', "'Brazil'", "'Česko'"])}, 'c${id}@example.com', ${dice.between(1, 8)}`,
    ),
  );
  yield* inserts(
    '`Track` (`Name`, `AlbumId`, `MediaTypeId`, `GenreId`, `Composer`, `Milliseconds`, `Bytes`, `UnitPrice`)',
    upTo(tracks).map(
      () =>
        `${name()}, ${dice.between(1, 50 * size)}, ${dice.between(1, 3)}, ${dice.between(1, 12)}, ${dice.pick(['NULL', name()])}, ${dice.between(1000, 9_000_000)}, ${dice.between(1, 9_000_000)}, ${dice.pick(['0.99', '1.99'])}`,
    ),
  );
  yield* inserts('`Playlist` (`Name`)', upTo(10).map(name));
  yield 'INSERT INTO `PlaylistTrack` SELECT `PlaylistId`, `TrackId` FROM `Playlist`, `Track` WHERE (`TrackId` * 3 + `PlaylistId`) % 7 = 0';
}

function act(dice: Dice): readonly string[] {
  const id = (most: number): number => dice.between(1, most);
  const buy = (): string => `CALL buy(${id(30)}, ${id(200)}, ${id(8)})`;
  return dice.pick<() => readonly string[]>([
    () => [buy()],
    () => ['BEGIN', buy(), buy(), 'COMMIT'],
    () => [buy(), `DELETE FROM \`Invoice\` ORDER BY \`InvoiceId\` LIMIT ${id(3)}`],
    () => [`DELETE FROM \`Artist\` WHERE \`ArtistId\` = ${id(20)}`, "INSERT INTO `Artist` (`Name`) VALUES ('again')"],
    () => [`DELETE FROM \`Employee\` WHERE \`EmployeeId\` = ${id(8)}`],
    () => [`DELETE FROM \`Genre\` WHERE \`GenreId\` = ${id(12)}`],
    () => [
      `INSERT INTO \`Album\` (\`Title\`, \`ArtistId\`) SELECT CONCAT('Best of ', \`ArtistId\`), \`ArtistId\` FROM \`Artist\` LIMIT 2`,
    ],
    () => [
      `UPDATE \`Track\` SET \`UnitPrice\` = \`UnitPrice\` + 0.01, \`Composer\` = NULL WHERE \`AlbumId\` = ${id(50)}`,
    ],
    () => [
      `INSERT IGNORE INTO \`PlaylistTrack\` SELECT ${id(10)}, \`TrackId\` FROM \`Track\` WHERE \`TrackId\` % 11 = ${id(10)}`,
    ],
    () => [`DELETE FROM \`PlaylistTrack\` WHERE \`TrackId\` % 13 = ${id(12)}`],
    () => ['SET autocommit = 0', buy(), 'ROLLBACK', buy(), 'COMMIT'],
  ])();
}

export const music: Sample = {
  name: 'music',
  schema,
  fill,
  act,
  derived: [
    {
      name: 'sold_per_track',
      create:
        'CREATE TABLE sold_per_track AS SELECT "TrackId", COUNT(*) AS n, SUM("UnitPrice") AS total FROM "InvoiceLine" GROUP BY "TrackId";',
      ask: 'SELECT TrackId, COUNT(*) AS n, SUM(UnitPrice) AS total FROM InvoiceLine GROUP BY TrackId',
    },
  ],
};
