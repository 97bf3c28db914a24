// A shop that rents films, in the shape of Sakila: a geometry column, foreign keys that cascade on update, two tables that refer to each
// other, a YEAR, an ENUM, a SET, a picture, a full-text copy kept by triggers, views, functions and procedures.
import type { Dice } from '../../support/harness/dice.js';
import { inserts, upTo, type Product, type Sample } from './sample.js';

const stamp = 'last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP';
const foreign = (column: string, table: string, rule = 'ON DELETE RESTRICT ON UPDATE CASCADE'): string =>
  `FOREIGN KEY (${column}) REFERENCES ${table} (${column}) ${rule}`;

function schema(product: Product): readonly string[] {
  const point = product === 'mysql' ? 'place GEOMETRY NOT NULL /*!80003 SRID 0 */' : 'place GEOMETRY NOT NULL';
  return [
    `CREATE TABLE actor (actor_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(45) NOT NULL,
      last_name VARCHAR(45) NOT NULL, ${stamp}, KEY (last_name))`,
    `CREATE TABLE language (language_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name CHAR(20) NOT NULL, ${stamp})`,
    `CREATE TABLE category (category_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(25) NOT NULL, ${stamp})`,
    `CREATE TABLE country (country_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, country VARCHAR(50) NOT NULL, ${stamp})`,
    `CREATE TABLE city (city_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, city VARCHAR(50) NOT NULL,
      country_id SMALLINT UNSIGNED NOT NULL, ${stamp}, ${foreign('country_id', 'country')})`,
    `CREATE TABLE address (address_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, street VARCHAR(50) NOT NULL,
      district VARCHAR(20), city_id SMALLINT UNSIGNED NOT NULL, postal_code VARCHAR(10), ${point}, ${stamp},
      SPATIAL KEY (place), ${foreign('city_id', 'city')})`,
    `CREATE TABLE film (film_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, title VARCHAR(128) NOT NULL, description TEXT,
      release_year YEAR, language_id TINYINT UNSIGNED NOT NULL, original_id TINYINT UNSIGNED,
      rental_days TINYINT UNSIGNED NOT NULL DEFAULT 3, rental_rate DECIMAL(4,2) NOT NULL DEFAULT 4.99, minutes SMALLINT UNSIGNED,
      replacement_cost DECIMAL(5,2) NOT NULL DEFAULT 19.99, rating ENUM('G','PG','PG-13','R','NC-17') DEFAULT 'G',
      extras SET('Trailers','Commentaries','Deleted Scenes','Behind the Scenes'), ${stamp}, KEY (title),
      ${foreign('language_id', 'language')},
      CONSTRAINT film_original FOREIGN KEY (original_id) REFERENCES language (language_id) ON DELETE RESTRICT ON UPDATE CASCADE)`,
    `CREATE TABLE film_actor (actor_id SMALLINT UNSIGNED NOT NULL, film_id SMALLINT UNSIGNED NOT NULL, ${stamp},
      PRIMARY KEY (actor_id, film_id), KEY (film_id), ${foreign('actor_id', 'actor')}, ${foreign('film_id', 'film')})`,
    `CREATE TABLE film_category (film_id SMALLINT UNSIGNED NOT NULL, category_id TINYINT UNSIGNED NOT NULL, ${stamp},
      PRIMARY KEY (film_id, category_id), ${foreign('film_id', 'film')}, ${foreign('category_id', 'category')})`,
    `CREATE TABLE film_text (film_id SMALLINT UNSIGNED NOT NULL PRIMARY KEY, title VARCHAR(255) NOT NULL, description TEXT,
      FULLTEXT KEY (title, description))`,
    `CREATE TABLE staff (staff_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(45) NOT NULL,
      address_id SMALLINT UNSIGNED NOT NULL, picture BLOB, email VARCHAR(50), store_id TINYINT UNSIGNED NOT NULL,
      active BOOLEAN NOT NULL DEFAULT TRUE, username VARCHAR(16) NOT NULL, password VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ${stamp},
      KEY (store_id), ${foreign('address_id', 'address')})`,
    `CREATE TABLE store (store_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, manager_id TINYINT UNSIGNED NOT NULL,
      address_id SMALLINT UNSIGNED NOT NULL, ${stamp}, UNIQUE KEY (manager_id), ${foreign('address_id', 'address')},
      CONSTRAINT store_manager FOREIGN KEY (manager_id) REFERENCES staff (staff_id) ON DELETE RESTRICT ON UPDATE CASCADE)`,
    `ALTER TABLE staff ADD CONSTRAINT staff_store ${foreign('store_id', 'store')}`,
    `CREATE TABLE customer (customer_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, store_id TINYINT UNSIGNED NOT NULL,
      first_name VARCHAR(45) NOT NULL, last_name VARCHAR(45) NOT NULL, email VARCHAR(50), address_id SMALLINT UNSIGNED NOT NULL,
      active BOOLEAN NOT NULL DEFAULT TRUE, create_date DATETIME NOT NULL, last_update TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
      ${foreign('address_id', 'address')}, ${foreign('store_id', 'store')})`,
    `CREATE TABLE inventory (inventory_id MEDIUMINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, film_id SMALLINT UNSIGNED NOT NULL,
      store_id TINYINT UNSIGNED NOT NULL, ${stamp}, ${foreign('store_id', 'store')}, ${foreign('film_id', 'film')})`,
    `CREATE TABLE rental (rental_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, rental_date DATETIME NOT NULL, inventory_id MEDIUMINT UNSIGNED NOT NULL,
      customer_id SMALLINT UNSIGNED NOT NULL, return_date DATETIME, staff_id TINYINT UNSIGNED NOT NULL, ${stamp},
      UNIQUE KEY (rental_date, inventory_id, customer_id), ${foreign('staff_id', 'staff')}, ${foreign('inventory_id', 'inventory')},
      ${foreign('customer_id', 'customer')})`,
    `CREATE TABLE payment (payment_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id SMALLINT UNSIGNED NOT NULL,
      staff_id TINYINT UNSIGNED NOT NULL, rental_id INT, amount DECIMAL(5,2) NOT NULL, payment_date DATETIME NOT NULL,
      last_update TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
      ${foreign('rental_id', 'rental', 'ON DELETE SET NULL ON UPDATE CASCADE')},
      ${foreign('customer_id', 'customer')}, ${foreign('staff_id', 'staff')})`,
    `CREATE TRIGGER film_text_insert AFTER INSERT ON film FOR EACH ROW
      INSERT INTO film_text VALUES (NEW.film_id, NEW.title, NEW.description)`,
    `CREATE TRIGGER film_text_update AFTER UPDATE ON film FOR EACH ROW
      UPDATE film_text SET title = NEW.title, description = NEW.description, film_id = NEW.film_id WHERE film_id = OLD.film_id`,
    'CREATE TRIGGER film_text_delete AFTER DELETE ON film FOR EACH ROW DELETE FROM film_text WHERE film_id = OLD.film_id',
    'CREATE TRIGGER customer_since BEFORE INSERT ON customer FOR EACH ROW SET NEW.create_date = NOW()',
    'CREATE TRIGGER rental_since BEFORE INSERT ON rental FOR EACH ROW SET NEW.rental_date = COALESCE(NEW.rental_date, NOW())',
    `CREATE VIEW customer_list AS SELECT c.customer_id, CONCAT(c.first_name, ' ', c.last_name) AS name, a.street, city.city
      FROM customer c JOIN address a ON c.address_id = a.address_id JOIN city ON a.city_id = city.city_id`,
    `CREATE VIEW film_list AS SELECT f.film_id, f.title, GROUP_CONCAT(a.last_name) AS actors FROM film f
      LEFT JOIN film_actor fa ON f.film_id = fa.film_id LEFT JOIN actor a ON fa.actor_id = a.actor_id GROUP BY f.film_id, f.title`,
    `CREATE FUNCTION in_stock(which MEDIUMINT) RETURNS INT READS SQL DATA
      RETURN NOT EXISTS (SELECT 1 FROM rental WHERE inventory_id = which AND return_date IS NULL)`,
    `CREATE PROCEDURE rent_out(IN which MEDIUMINT, IN who SMALLINT, IN by_whom TINYINT)
      BEGIN
        DECLARE price DECIMAL(4,2);
        IF in_stock(which) THEN
          INSERT INTO rental (rental_date, inventory_id, customer_id, staff_id)
            VALUES (FROM_UNIXTIME(1100000000 + FLOOR(RAND() * 400000000)), which, who, by_whom);
          SELECT f.rental_rate INTO price FROM film f JOIN inventory i ON f.film_id = i.film_id WHERE i.inventory_id = which;
          INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date)
            VALUES (who, by_whom, LAST_INSERT_ID(), COALESCE(price, 0.99), NOW());
        END IF;
      END`,
    `CREATE PROCEDURE give_back(IN days INT)
      BEGIN
        UPDATE rental SET return_date = rental_date + INTERVAL days DAY WHERE return_date IS NULL LIMIT 5;
      END`,
    `CREATE PROCEDURE rewards(IN least INT)
      BEGIN
        CREATE TEMPORARY TABLE chosen (customer_id SMALLINT UNSIGNED NOT NULL PRIMARY KEY);
        INSERT INTO chosen SELECT customer_id FROM payment GROUP BY customer_id HAVING COUNT(*) >= least;
        UPDATE customer SET email = CONCAT('reward', customer_id, '@example.com') WHERE customer_id IN (SELECT customer_id FROM chosen);
        DROP TEMPORARY TABLE chosen;
      END`,
  ];
}

const words = ['ACADEMY', 'Ångström', 'boat', 'Čapek', '日本', 'dinosaur', "O'Hara", 'epic', '', 'façade 😀'];
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function* fill(dice: Dice, size: number): Iterable<string> {
  const films = 40 * size;
  const word = (): string => quoted(`${dice.pick(words)} ${dice.between(1, 999)}`);
  yield* inserts(
    'actor (first_name, last_name)',
    upTo(20 * size).map(() => `${word()}, ${word()}`),
  );
  yield* inserts('language (name)', ['English', 'Deutsch', '日本語', 'Français'].map(quoted));
  yield* inserts('category (name)', ['Action', 'Comedy', 'Drama', 'Sci-Fi'].map(quoted));
  yield* inserts('country (country)', upTo(10).map(word));
  yield* inserts(
    'city (city, country_id)',
    upTo(30).map(() => `${word()}, ${dice.between(1, 10)}`),
  );
  yield* inserts(
    'address (street, district, city_id, postal_code, place)',
    upTo(40).map(
      () =>
        `${word()}, ${dice.pick(['NULL', word()])}, ${dice.between(1, 30)}, '${dice.between(10_000, 99_999)}', ST_GeomFromText('POINT(${dice.between(-180, 180)}.25 ${dice.between(-90, 90)}.5)')`,
    ),
  );
  yield* inserts(
    'film (title, description, release_year, language_id, original_id, minutes, rating, extras)',
    upTo(films).map(
      () =>
        `${word()}, ${dice.pick(['NULL', word()])}, ${dice.between(1901, 2155)}, ${dice.between(1, 4)}, ${dice.pick(['NULL', '2'])}, ${dice.between(40, 200)}, ${dice.pick(["'G'", "'PG-13'", "'NC-17'", 'NULL'])}, ${dice.pick(["''", "'Trailers,Deleted Scenes'", 'NULL', "'Behind the Scenes'"])}`,
    ),
  );
  yield `INSERT IGNORE INTO film_actor (actor_id, film_id) SELECT actor_id, film_id FROM actor, film WHERE (actor_id * 7 + film_id) % 5 = 0`;
  yield `INSERT INTO film_category (film_id, category_id) SELECT film_id, 1 + film_id % 4 FROM film`;
  yield 'SET foreign_key_checks = 0';
  yield* inserts(
    'staff (first_name, address_id, picture, email, store_id, username, password)',
    [1, 2].map(
      (id) =>
        `'Staff ${id}', ${id}, X'89504E470D0A1A0A0000FF', NULL, ${id}, 'staff${id}', LEFT(SHA2('${id}', 256), 40)`,
    ),
  );
  yield* inserts('store (manager_id, address_id)', ['1, 3', '2, 4']);
  yield 'SET foreign_key_checks = 1';
  yield* inserts(
    'customer (store_id, first_name, last_name, email, address_id, create_date)',
    upTo(60 * size).map(() => `${dice.between(1, 2)}, ${word()}, ${word()}, NULL, ${dice.between(5, 40)}, NOW()`),
  );
  yield* inserts(
    'inventory (film_id, store_id)',
    upTo(100 * size).map(() => `${dice.between(1, films)}, ${dice.between(1, 2)}`),
  );
}

function act(dice: Dice): readonly string[] {
  const id = (most: number): number => dice.between(1, most);
  const rent = (): string => `CALL rent_out(${id(100)}, ${id(60)}, ${id(2)})`;
  return dice.pick<() => readonly string[]>([
    () => [rent(), rent(), `CALL give_back(${id(9)})`],
    () => [`CALL rewards(${id(4)})`],
    () => [`UPDATE film SET title = CONCAT('New ', title), rental_rate = ${id(9)}.99 WHERE film_id = ${id(40)}`],
    // Keys of parents change, and their children with them.
    () => [`UPDATE IGNORE actor SET actor_id = ${100 + id(400)} ORDER BY actor_id LIMIT 1`],
    () => [`UPDATE IGNORE category SET category_id = ${id(200)} WHERE category_id = ${id(8)}`],
    () => [`UPDATE IGNORE film SET film_id = ${1000 + id(400)} WHERE film_id = ${id(40)}`],
    () => [`UPDATE IGNORE store SET store_id = store_id + 2 WHERE store_id > ${id(4)}`],
    () => [`DELETE FROM rental WHERE return_date IS NOT NULL ORDER BY rental_id LIMIT ${id(3)}`],
    () => [`DELETE FROM film_actor WHERE actor_id = ${id(20)}`, `DELETE IGNORE FROM actor WHERE actor_id = ${id(20)}`],
    () => [
      `UPDATE address SET place = ST_GeomFromText('LINESTRING(0 0, ${id(50)} 1.5)'), district = NULL WHERE address_id = ${id(40)}`,
    ],
    () => [`UPDATE staff SET picture = REPEAT(X'00FF', ${id(2000)}) WHERE staff_id = ${id(2)}`],
    () => ['BEGIN', rent(), `UPDATE customer SET active = NOT active WHERE customer_id = ${id(60)}`, 'ROLLBACK'],
  ])();
}

export const rental: Sample = {
  name: 'rental',
  schema,
  fill,
  act,
  derived: [
    {
      name: 'paid_per_customer',
      create:
        'CREATE TABLE paid_per_customer AS SELECT customer_id, COUNT(*) AS n, SUM(amount) AS total FROM payment GROUP BY customer_id;',
      ask: 'SELECT customer_id, COUNT(*) AS n, SUM(amount) AS total FROM payment GROUP BY customer_id',
    },
    {
      name: 'films_per_language',
      create: 'CREATE TABLE films_per_language AS SELECT language_id, COUNT(*) AS n FROM film GROUP BY language_id;',
      ask: 'SELECT language_id, COUNT(*) AS n FROM film GROUP BY language_id',
    },
  ],
};
