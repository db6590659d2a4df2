//! Collecting without sorting.

/// Makes a map or set by putting one thing after the other into it. `collect` sorts first, and every kind of map would
/// bring some 10 KB of sorting code into the wasm, which has a limit.
pub fn gather<T: Default + Extend<I>, I>(items: impl IntoIterator<Item = I>) -> T {
    let mut all = T::default();
    all.extend(items);
    all
}
