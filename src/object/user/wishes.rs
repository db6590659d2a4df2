//! What a user wants, what was missed because notifications are off, and whether to ask.

use super::{Home, Step, Write};
use crate::{
    model::{
        device::Permission,
        ids::DeviceId,
        push::Category,
        time::{DayZone, Millis},
    },
    wire::user::{Advice, AdviceRule, Advise, Done, MISSED_MAX, Missed, Wish},
};

/// Messages missed of late: of so many days.
const MISSED_DAYS: u64 = 7;
/// A yes is given again for so long, milliseconds.
const ADVICE_AGAIN_MS: u64 = 600_000;

impl Home {
    /// Merges a change into the preferences.
    pub fn prefer(&mut self, wish: Wish) -> Step {
        let before = (self.about.preferences.clone(), self.copy());
        let have = &mut self.about.preferences;
        let Wish { locale, time_zone, quiet_hours, opt_out, tags } = wish;
        if let Some(locale) = locale {
            have.locale = locale;
        }
        if let Some(zone) = time_zone {
            have.time_zone = zone;
        }
        if let Some(hours) = quiet_hours {
            have.quiet_hours = hours;
        }
        if let Some(tags) = tags {
            have.tags = tags.unwrap_or_default();
        }
        for (category, out) in opt_out {
            have.opt_out.retain(|other| *other != category);
            if out {
                let at = have.opt_out.partition_point(|other| *other < category);
                have.opt_out.insert(at, category);
            }
        }
        if before.0 == *have {
            return Step::nothing(Done::Unchanged);
        }
        let copy = before.1 != self.copy();
        Step { writes: vec![Write::About], copy, ..Step::nothing(Done::Changed) }
    }

    /// A personal message was not sent because notifications are off.
    pub fn missed(&mut self, category: Category, now: Millis) -> Step {
        let sum = self.missed_now(now);
        let (sum, im, order) = match category {
            Category::Im => (sum.im, 1, 0),
            Category::Order => (sum.order, 0, 1),
            Category::Follow | Category::Marketing => return Step::nothing(Done::Unchanged),
        };
        if sum >= MISSED_MAX || self.devices.is_empty() {
            return Step::nothing(Done::Unchanged);
        }
        let today = day(now);
        let all = &mut self.about.missed;
        all.retain(|(day, _)| day + MISSED_DAYS > today);
        match all.iter_mut().find(|(day, _)| *day == today) {
            Some((_, missed)) => *missed = Missed { im: missed.im + im, order: missed.order + order },
            None => all.push((today, Missed { im, order })),
        }
        Step { writes: vec![Write::About], ..Step::nothing(Done::Changed) }
    }

    fn missed_now(&self, now: Millis) -> Missed {
        let of_late = self.about.missed.iter().filter(|(of, _)| of + MISSED_DAYS > day(now));
        of_late.fold(Missed::default(), |sum, (_, missed)| Missed {
            im: sum.im + missed.im,
            order: sum.order + missed.order,
        })
    }

    /// Whether now is a good moment to ask for permission. A yes is remembered, for all devices of the user: nobody is nagged.
    /// For some minutes it is given again, so that an answer may get lost.
    pub fn advise(&mut self, id: &DeviceId, rule: AdviceRule, now: Millis) -> (Step, Option<Advice>) {
        let missed = self.missed_now(now);
        let Some(device) = self.device(id) else {
            return (Step::nothing(Done::Missing), None);
        };
        let answer =
            |advise, reason: &str, again_at| Advice { advise, reason: reason.to_owned(), missed, again_at };
        let before = self.about.advised.as_ref();
        let repeated =
            before.is_some_and(|(at, device)| device == id && now.0.saturating_sub(at.0) < ADVICE_AGAIN_MS);
        let again_at = before.map(|(at, _)| at.plus_secs(u64::from(rule.every_days) * 86_400));
        let early = again_at.filter(|at| *at > now && !repeated);
        let n = missed.im + missed.order;
        let said = match device.registration.permission {
            Permission::Granted => answer(Advise::Nothing, "notifications are allowed", None),
            Permission::Denied | Permission::Provisional | Permission::Unknown if early.is_some() => {
                answer(Advise::Wait, "the app was told to ask not long ago", early)
            }
            Permission::Denied if n < rule.missed_min => {
                answer(Advise::Wait, &format!("{} this week: too few to ask", words(missed)), None)
            }
            Permission::Denied => answer(Advise::Settings, &format!("{} this week", words(missed)), None),
            Permission::Provisional => answer(Advise::Ask, "messages arrive without a sound", None),
            Permission::Unknown => answer(Advise::Ask, "the app has not reported a permission", None),
        };
        let yes = match said.advise {
            Advise::Ask | Advise::Settings => true,
            Advise::Nothing | Advise::Wait => false,
        };
        if !yes || repeated {
            return (Step::nothing(Done::Read), Some(said));
        }
        self.about.advised = Some((now, id.clone()));
        (Step { writes: vec![Write::About], ..Step::nothing(Done::Read) }, Some(said))
    }
}

fn day(now: Millis) -> u64 {
    now.day(DayZone::Utc).0
}

/// "3 order messages and 1 chat message missed".
fn words(missed: Missed) -> String {
    let of =
        |n: u32, what: &str| (n > 0).then(|| format!("{n} {what} message{}", if n == 1 { "" } else { "s" }));
    let parts: Vec<String> =
        [of(missed.order, "order"), of(missed.im, "chat")].into_iter().flatten().collect();
    if parts.is_empty() { "no message missed".to_owned() } else { format!("{} missed", parts.join(" and ")) }
}
