//! A list whose places are numbers: one that has become free is given again.

/// Values, each under a number.
#[derive(Debug)]
pub struct Slots<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slots<T> {
    /// None.
    pub const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// Puts a value in; gives its number.
    pub fn insert(&mut self, value: T) -> usize {
        let Some(number) = self.free.pop() else {
            self.places.push(Some(value));
            return self.places.len() - 1;
        };
        if let Some(place) = self.places.get_mut(number) {
            *place = Some(value);
        }
        number
    }

    /// What is under a number.
    pub fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.places.get_mut(number)?.as_mut()
    }

    /// Takes a value out: its number is free.
    pub fn remove(&mut self, number: usize) -> Option<T> {
        let value = self.places.get_mut(number).and_then(Option::take)?;
        self.free.push(number);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_given_again_when_it_is_free() {
        let mut slots = Slots::new();
        assert_eq!([slots.insert('a'), slots.insert('b'), slots.insert('c')], [0, 1, 2]);
        assert_eq!(slots.remove(1), Some('b'));
        assert_eq!((slots.remove(1), slots.remove(9)), (None, None));
        assert_eq!(slots.get_mut(1), None);
        *slots.get_mut(2).unwrap() = 'z';
        assert_eq!([slots.insert('d'), slots.insert('e')], [1, 3]);
        assert_eq!([0, 1, 2, 3].map(|number| slots.remove(number)), ['a', 'd', 'z', 'e'].map(Some));
    }
}
