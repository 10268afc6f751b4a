//! The states IPP gives jobs and printers, as their `enum` values and keywords.

registry! {
    /// "job-state" (RFC 8011 §5.3.7).
    JobState(i32) {
        Pending = 3, "pending";
        PendingHeld = 4, "pending-held";
        Processing = 5, "processing";
        ProcessingStopped = 6, "processing-stopped";
        Canceled = 7, "canceled";
        Aborted = 8, "aborted";
        Completed = 9, "completed";
    }
}

registry! {
    /// "printer-state" (RFC 8011 §5.4.11).
    PrinterState(i32) {
        Idle = 3, "idle";
        Processing = 4, "processing";
        Stopped = 5, "stopped";
    }
}

impl JobState {
    /// True where the job will never print again: `canceled`, `aborted`, `completed` (RFC 8011 §5.3.7).
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Canceled | Self::Aborted | Self::Completed)
    }
}
