//! Takes an object apart field by field. Every error carries the JSON pointer of the field it is about; what nobody
//! asked for is refused at the end.

use super::json::{Json, child};
use crate::model::problem::{Code, Problem};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Field {
    /// The value.
    pub json: Json,
    /// Its JSON pointer.
    pub at: String,
}

/// An object being taken apart.
#[derive(Debug)]
pub struct Fields {
    members: Vec<(String, Json)>,
    at: String,
    known: Vec<&'static str>,
}

impl Field {
    /// The whole body.
    pub fn root(json: Json) -> Self {
        Self { json, at: String::new() }
    }

    /// Not the type that is wanted.
    fn wrong(&self, wanted: &str) -> Problem {
        Problem::at(Code::WrongType, &self.at, format!("must be {wanted}, is {}", self.json.kind()))
    }

    /// Right type, wrong value.
    pub fn invalid(&self, detail: impl Into<String>) -> Problem {
        Problem::at(Code::InvalidValue, &self.at, detail)
    }

    /// An object without repeated names.
    pub fn object(self) -> Result<Fields, Problem> {
        let Json::Object(members) = self.json else { return Err(self.wrong("an object")) };
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(name) = names.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        }) {
            return Err(Problem::at(
                Code::DuplicateField,
                child(&self.at, name),
                "this field stands here twice",
            ));
        }
        Ok(Fields { members, at: self.at, known: Vec::new() })
    }

    /// An array's items, each with its pointer.
    pub fn array(self) -> Result<Vec<Self>, Problem> {
        let Json::Array(items) = self.json else { return Err(self.wrong("an array")) };
        let at = self.at;
        Ok(items
            .into_iter()
            .enumerate()
            .map(|(index, json)| Self { json, at: [&at, "/", itoa::Buffer::new().format(index)].concat() })
            .collect())
    }

    /// A text.
    pub fn text(self) -> Result<(String, String), Problem> {
        match self.json {
            Json::Text(text) => Ok((text, self.at)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Err(self.wrong("a string"))
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Result<bool, Problem> {
        match self.json {
            Json::Bool(value) => Ok(value),
            Json::Null | Json::Text(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Err(self.wrong("true or false"))
            }
        }
    }

    /// A whole number from 0 to `max`. `3.0` is not one: nothing is coerced.
    pub fn whole(self, max: u64) -> Result<u64, Problem> {
        let Json::Number(number) = &self.json else { return Err(self.wrong("a whole number")) };
        match number.as_u64() {
            Some(value) if value <= max => Ok(value),
            Some(_) | None => Err(self.invalid(format!("must be a whole number from 0 to {max}"))),
        }
    }

    /// One of a closed list of texts.
    pub fn one_of<T: Copy>(self, all: &[(&'static str, T)]) -> Result<T, Problem> {
        let at = self.at.clone();
        let (text, _) = self.text()?;
        all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            Problem::at(Code::InvalidValue, at, format!("must be one of: {}", names.join(", ")))
        })
    }
}

impl Fields {
    /// Where the object stands.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// A field, if it is there. `null` is a value like any other: it is there.
    pub fn take(&mut self, name: &'static str) -> Option<Field> {
        self.known.push(name);
        let index = self.members.iter().position(|(have, _)| have == name)?;
        let (_, json) = self.members.swap_remove(index);
        Some(Field { json, at: child(&self.at, name) })
    }

    /// A field that must be there.
    pub fn need(&mut self, name: &'static str) -> Result<Field, Problem> {
        self.take(name).ok_or_else(|| {
            Problem::at(Code::MissingField, child(&self.at, name), format!("`{name}` must be given"))
        })
    }

    /// Whatever is left, with free names.
    pub fn rest(self) -> impl Iterator<Item = (String, Field)> {
        let at = self.at;
        self.members.into_iter().map(move |(name, json)| {
            let at = child(&at, &name);
            (name, Field { json, at })
        })
    }

    /// Refuses what nobody asked for.
    pub fn end(self) -> Result<(), Problem> {
        let Some((name, _)) = self.members.into_iter().min_by(|a, b| a.0.cmp(&b.0)) else { return Ok(()) };
        let known = self.known.join(", ");
        Err(Problem::at(
            Code::UnknownField,
            child(&self.at, &name),
            format!("no such field; known here: {known}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<Fields, Problem> {
        Field::root(Json::parse(text).unwrap()).object()
    }

    #[test]
    fn unknown_fields_are_refused_with_their_pointer() {
        let mut object = fields(r#"{"a":1,"b/c":2}"#).unwrap();
        assert!(object.take("a").is_some());
        let problem = object.end().unwrap_err();
        assert_eq!((problem.code, problem.pointer.as_deref()), (Code::UnknownField, Some("/b~1c")));
        assert_eq!(problem.detail, "no such field; known here: a");
    }

    #[test]
    fn doubled_fields_are_refused() {
        let problem = fields(r#"{"a":1,"b":1,"a":1}"#).unwrap_err();
        assert_eq!((problem.code, problem.pointer.as_deref()), (Code::DuplicateField, Some("/a")));
    }

    #[test]
    fn nothing_is_coerced() {
        let take = |text: &str| fields(&format!(r#"{{"x":{text}}}"#)).unwrap().need("x").unwrap();
        assert_eq!(take("3").whole(3), Ok(3));
        for (text, code) in [
            ("4", Code::InvalidValue),
            ("-1", Code::InvalidValue),
            ("3.0", Code::InvalidValue),
            ("1e2", Code::InvalidValue),
            ("\"3\"", Code::WrongType),
            ("null", Code::WrongType),
        ] {
            assert_eq!(take(text).whole(3).unwrap_err().code, code, "{text}");
        }
        assert_eq!(take("1").boolean().unwrap_err().code, Code::WrongType);
        assert_eq!(take("1").text().unwrap_err().detail, "must be a string, is a number");
        assert_eq!(take("\"no\"").one_of(&[("yes", 1)]).unwrap_err().detail, "must be one of: yes");
    }
}
