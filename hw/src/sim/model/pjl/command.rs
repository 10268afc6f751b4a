//! What PJL commands do.

use std::time::Duration;

use super::line::{Category, Device, Fault, Request, Variable, parse};
use super::{Bench, Mode, Pjl, Timer, Unsolicited, report};

/// What `INFO ID` answers.
const MODEL: &[u8] = b"\"despool simulated PJL printer\"";

impl Pjl {
    /// Carries out the line that is complete.
    pub(super) fn command(&mut self, bench: &mut Bench<'_>) {
        let line = std::mem::take(&mut self.line);
        let request = match std::mem::take(&mut self.overlong) {
            true => Err(Fault::Overflow),
            false => parse(&line),
        };
        match request {
            Ok(request) => self.obey(request, bench),
            Err(fault) => self.fault(fault, bench),
        }
        // The room is used again.
        self.line = line;
        self.line.clear();
    }

    pub(super) fn fault(&self, fault: Fault, bench: &mut Bench<'_>) {
        if self.unsolicited.device == Device::Verbose {
            let code = format!("CODE={}", fault.code());
            bench.say(&report::answer("USTATUS DEVICE", code.as_bytes()));
        }
    }

    fn obey(&mut self, request: Request<'_>, bench: &mut Bench<'_>) {
        match request {
            Request::Nothing => {}
            Request::Echo(words) => bench.say(&report::echo(words)),
            Request::Info(category) => bench.say(&self.info(category, bench)),
            Request::Ustatus(variable) => self.unsolicited.set(variable, bench),
            Request::UstatusOff => self.unsolicited = Unsolicited::default(),
            Request::Job(job) => {
                self.pages.begin_job(job.range);
                self.tell_job(job.name, None, bench);
            }
            Request::Eoj(name) => {
                if let Some(pages) = self.pages.end_job() {
                    self.tell_job(name, Some(pages), bench);
                }
            }
            Request::Enter => self.mode = Mode::Data,
        }
    }

    fn tell_job(&self, name: Option<&[u8]>, end: Option<u64>, bench: &mut Bench<'_>) {
        if self.unsolicited.job {
            bench.say(&report::job(name, end));
        }
    }

    fn info(&self, category: Category, bench: &Bench<'_>) -> Vec<u8> {
        let Unsolicited { device, job, page, timed } = self.unsolicited;
        match category {
            Category::Id => report::answer("INFO ID", MODEL),
            Category::Status => self.status(bench).report("INFO STATUS"),
            Category::PageCount => {
                let count = format!("PAGECOUNT={}", self.pages.ever());
                report::answer("INFO PAGECOUNT", count.as_bytes())
            }
            Category::Supplies => {
                let toner = format!("TONER={}", bench.condition.toner());
                report::answer("INFO SUPPLIES", toner.as_bytes())
            }
            Category::Ustatus => {
                report::variables(device, job, page, timed.map_or(0, |timer| timer.seconds))
            }
        }
    }
}

impl Unsolicited {
    fn set(&mut self, variable: Variable, bench: &Bench<'_>) {
        match variable {
            Variable::Device(device) => self.device = device,
            Variable::Job(on) => self.job = on,
            Variable::Page(on) => self.page = on,
            Variable::Timed(seconds) => {
                let next = bench.now.checked_add(Duration::from_secs(seconds.into()));
                let timer = next.map(|next| Timer { seconds, next });
                self.timed = timer.filter(|_| seconds > 0);
            }
        }
    }
}
