//! Which column of a file is which field: by what it is called in some languages, else by what its cells look like.

use super::{Field, clean, date};
use crate::{phone, search};
use std::collections::BTreeMap;

/// Names of columns, without accents, case and punctuation. Of two columns the one whose name stands earlier is taken.
const NAMES: &[(Field, &[&str])] = &[
    (
        Field::FirstName,
        &[
            "firstname",
            "forename",
            "givenname",
            "fname",
            "first",
            "vorname",
            "prenom",
            "nombre",
            "nome",
            "voornaam",
            "imie",
            "fornavn",
            "fornamn",
            "contactname",
            "fullname",
            "name",
            "customer",
            "customername",
            "leadname",
        ],
    ),
    (
        Field::LastName,
        &[
            "lastname",
            "surname",
            "familyname",
            "lname",
            "last",
            "nachname",
            "familienname",
            "nomdefamille",
            "nom",
            "apellido",
            "apellidos",
            "cognome",
            "sobrenome",
            "achternaam",
            "nazwisko",
            "etternavn",
            "efternavn",
            "efternamn",
        ],
    ),
    (
        Field::PhoneNumber,
        &[
            "phonenumber",
            "phone",
            "mobile",
            "mobilephone",
            "mobilenumber",
            "mobileno",
            "cell",
            "cellphone",
            "phoneno",
            "contactnumber",
            "contactno",
            "telephone",
            "telephonenumber",
            "tel",
            "telno",
            "number",
            "whatsapp",
            "handy",
            "mobil",
            "mobiltelefon",
            "mobilnummer",
            "telefon",
            "telefonnummer",
            "rufnummer",
            "portable",
            "numero",
            "numerodetelephone",
            "telefono",
            "movil",
            "celular",
            "cellulare",
            "telefone",
            "telemovel",
            "telefoon",
            "telefoonnummer",
            "mobiel",
            "gsm",
            "telefonnumer",
        ],
    ),
    (
        Field::PhoneExtension,
        &[
            "phoneextension",
            "extension",
            "ext",
            "durchwahl",
            "nebenstelle",
            "poste",
        ],
    ),
    (
        Field::Email,
        &[
            "email",
            "emailaddress",
            "mail",
            "mailaddress",
            "emailadresse",
            "mailadresse",
            "courriel",
            "adressemail",
            "correo",
            "correoelectronico",
            "epost",
            "eposta",
            "emailadres",
        ],
    ),
    (
        Field::Postcode,
        &[
            "postcode",
            "postalcode",
            "zip",
            "zipcode",
            "plz",
            "postleitzahl",
            "codepostal",
            "cp",
            "codigopostal",
            "cap",
            "cep",
            "postnummer",
            "kodpocztowy",
        ],
    ),
    (
        Field::InquiryDate,
        &[
            "inquirydate",
            "enquirydate",
            "dateofenquiry",
            "dateofinquiry",
            "leaddate",
            "datecreated",
            "createddate",
            "created",
            "createdat",
            "submitted",
            "submittedat",
            "submissiondate",
            "anfragedatum",
            "anfrage",
            "datum",
            "datedemande",
            "date",
            "fecha",
            "data",
        ],
    ),
    (
        Field::Notes,
        &[
            "notes",
            "note",
            "comments",
            "comment",
            "remarks",
            "notiz",
            "notizen",
            "bemerkung",
            "bemerkungen",
            "kommentar",
            "remarques",
            "commentaire",
            "notas",
            "observaciones",
            "opmerkingen",
            "uwagi",
        ],
    ),
    (
        Field::ConsentBasis,
        &["consentbasis", "lawfulbasis", "legalbasis"],
    ),
    (
        Field::ConsentAt,
        &[
            "consentat",
            "consentdate",
            "dateofconsent",
            "optindate",
            "optedinat",
        ],
    ),
];

/// Most rows of a sample that are looked at.
const MAX_ROWS: usize = 200;

/// Column → field, `None` for a column that is none, by the header and some rows of the file. A field is suggested once.
pub fn suggest(
    header: &[String],
    sample: &[Vec<String>],
    country: Option<&str>,
) -> BTreeMap<String, Option<Field>> {
    let mut found: Vec<Option<Field>> = vec![None; header.len()];
    let keys: Vec<String> = header.iter().map(|name| key(name)).collect();
    for (field, names) in NAMES {
        let column = names
            .iter()
            .find_map(|name| keys.iter().position(|key| key == name));
        if let Some(column) = column.filter(|column| found[*column].is_none()) {
            found[column] = Some(*field);
        }
    }
    for field in [Field::Email, Field::PhoneNumber, Field::InquiryDate] {
        if !found.contains(&Some(field))
            && let Some(column) = looks_like(field, &found, sample, country)
        {
            found[column] = Some(field);
        }
    }
    header.iter().cloned().zip(found).collect()
}

/// The free column whose cells are most often of the field, in more than half of the rows that have one.
fn looks_like(
    field: Field,
    taken: &[Option<Field>],
    sample: &[Vec<String>],
    country: Option<&str>,
) -> Option<usize> {
    let fits = |cell: &str| match field {
        Field::Email => clean::is_email(cell) && cell.contains('.'),
        Field::PhoneNumber => {
            cell.len() >= 7
                && phone::parse(cell, country, phone::Options::default())
                    .reason
                    .is_none()
        }
        _ => date::parse(cell, true).is_some(),
    };
    let free = taken
        .iter()
        .enumerate()
        .filter(|(_, field)| field.is_none());
    let scored = free.filter_map(|(column, _)| {
        let cells = sample
            .iter()
            .take(MAX_ROWS)
            .filter_map(|row| clean::value(row.get(column)?));
        let (mut good, mut all) = (0, 0);
        for cell in cells {
            all += 1;
            good += usize::from(fits(cell));
        }
        (good * 2 > all).then_some((good, std::cmp::Reverse(column)))
    });
    scored.max().map(|(_, column)| column.0)
}

fn key(name: &str) -> String {
    search::folded(name)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(header: &[&str], sample: &[&[&str]]) -> Vec<Option<&'static str>> {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let sample: Vec<Vec<String>> = sample
            .iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect();
        let found = suggest(&header, &sample, Some("GB"));
        header
            .iter()
            .map(|name| found[name].map(Field::as_str))
            .collect()
    }

    #[test]
    fn columns_are_known_by_their_names() {
        for (header, expected) in [
            (
                &[
                    "First Name",
                    "Last name",
                    "MOBILE",
                    "E-mail",
                    "Post Code",
                    "Roof",
                ][..],
                &[
                    Some("first_name"),
                    Some("last_name"),
                    Some("phone_number"),
                    Some("email"),
                    Some("postcode"),
                    None,
                ][..],
            ),
            (
                &["Vorname", "Nachname", "Telefon-Nr.", "Handy"],
                &[
                    Some("first_name"),
                    Some("last_name"),
                    None,
                    Some("phone_number"),
                ],
            ),
            (
                &["Prénom", "Nom", "Téléphone", "Code postal"],
                &[
                    Some("first_name"),
                    Some("last_name"),
                    Some("phone_number"),
                    Some("postcode"),
                ],
            ),
            (&["Name", "first_name"], &[None, Some("first_name")]),
            (&["phone", "Mobile"], &[Some("phone_number"), None]),
        ] {
            assert_eq!(suggested(header, &[]), expected, "{header:?}");
        }
    }

    #[test]
    fn and_else_by_what_is_in_them() {
        let sample: &[&[&str]] = &[
            &["Jane", "07700 900001", "jane@a.example", "2025-03-31", "7"],
            &["John", "-", "", "", "8"],
            &[
                "Jo",
                "+44 20 7946 0958",
                "jo@a.example",
                "31/03/2025",
                "07700",
            ],
        ];
        assert_eq!(
            suggested(&["A", "B", "C", "D", "E"], sample),
            [
                None,
                Some("phone_number"),
                Some("email"),
                Some("inquiry_date"),
                None
            ]
        );
    }
}
