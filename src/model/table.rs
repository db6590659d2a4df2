//! A small map: a sorted vector. Every kind of `BTreeMap` or `HashMap` brings 5 to 8 KB of code into the wasm, which has a limit
//! that counts; a `Vec` brings next to nothing. For maps that stay small, or grow at their end.

use std::{borrow::Borrow, collections::BTreeSet, fmt, marker::PhantomData, ops::Index};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// Keys and values, sorted by key.
#[derive(Clone, PartialEq, Eq)]
pub struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Table<K, V> {
    /// Nothing in it.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // What comes in order is found at the end.
        match self.0.last() {
            Some((last, _)) if last.borrow() < key => Err(self.0.len()),
            Some(_) | None => self.0.binary_search_by(|(have, _)| have.borrow().cmp(key)),
        }
    }

    /// A value.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// A value, to change it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether there is one.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Puts a value in; gives the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(at) => self.0.get_mut(at).map(|(_, have)| std::mem::replace(have, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// The place of a key, as the maps of the standard library have it.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        Entry { table: self, key }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// In the order of the keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The same, to change values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// Values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Keeps some.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }
}

/// The place of a key.
pub struct Entry<'a, K, V> {
    table: &'a mut Table<K, V>,
    key: K,
}

impl<'a, K: Ord, V> Entry<'a, K, V> {
    /// The value, made where there is none.
    #[expect(clippy::indexing_slicing, reason = "the place was found, or made, a line before")]
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        let at = self.table.find(&self.key).unwrap_or_else(|at| {
            self.table.0.insert(at, (self.key, make()));
            at
        });
        &mut self.table.0[at].1
    }

    /// The value, or this one.
    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    /// The value, or the default one.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut table = Self::new();
        for (key, value) in items {
            table.insert(key, value);
        }
        table
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Table<K, V> {
    fn from(items: [(K, V); N]) -> Self {
        items.into_iter().collect()
    }
}

impl<K, V> IntoIterator for Table<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for Table<K, V> {
    type Output = V;
    #[expect(clippy::expect_used, reason = "as the maps of the standard library do; not used outside tests")]
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("this key")
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, value))).finish()
    }
}

/// An object with the keys as names.
impl<K: Serialize, V: Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for Members<K, V> {
            type Value = Table<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut table = Table::new();
                while let Some((key, value)) = map.next_entry()? {
                    table.insert(key, value);
                }
                Ok(table)
            }
        }
        from.deserialize_map(Members(PhantomData))
    }
}

/// Makes a map or set by putting one thing after the other into it. `collect` sorts first, which brings some 10 KB of
/// code for every kind of map.
pub fn gather<T: Default + Gather<I>, I>(items: impl IntoIterator<Item = I>) -> T {
    let mut all = T::default();
    items.into_iter().for_each(|item| all.put(item));
    all
}

/// What can be gathered.
pub trait Gather<I> {
    /// Takes one more.
    fn put(&mut self, item: I);
}

impl<K: Ord, V> Gather<(K, V)> for Table<K, V> {
    fn put(&mut self, (key, value): (K, V)) {
        self.insert(key, value);
    }
}

impl<T: Ord> Gather<T> for BTreeSet<T> {
    fn put(&mut self, item: T) {
        self.insert(item);
    }
}

impl Gather<(String, serde_json::Value)> for serde_json::Map<String, serde_json::Value> {
    fn put(&mut self, (key, value): (String, serde_json::Value)) {
        self.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It does what a `BTreeMap` does.
        #[test]
        fn it_is_a_map(acts in proptest::collection::vec((0u8..6, 0u8..20, any::<u8>()), 0..80)) {
            let (mut table, mut map) = (Table::new(), BTreeMap::new());
            for (act, key, value) in acts {
                match act {
                    0 | 1 => prop_assert_eq!(table.insert(key, value), map.insert(key, value)),
                    2 => prop_assert_eq!(table.remove(&key), map.remove(&key)),
                    3 => prop_assert_eq!(table.entry(key).or_insert(value), map.entry(key).or_insert(value)),
                    4 => prop_assert_eq!(table.get_mut(&key), map.get_mut(&key)),
                    _ => {
                        table.retain(|_, have| *have >= value);
                        map.retain(|_, have| *have >= value);
                    }
                }
                prop_assert!(table.iter().eq(map.iter()));
                prop_assert_eq!(table.get(&key), map.get(&key));
            }
            let text = serde_json::to_string(&table).unwrap();
            prop_assert_eq!(&text, &serde_json::to_string(&map).unwrap());
            prop_assert_eq!(serde_json::from_str::<Table<u8, u8>>(&text).unwrap(), table);
        }
    }
}
