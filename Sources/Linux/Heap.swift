//! The C library's heap: what was freed stays with the program, for whoever asks next.

internal import CLinux

/// How malloc is set up for a program that runs for days and asks for the same sizes again and again.
public enum Heap {
    /// Keeps freed memory instead of giving it back to the kernel; once, before there are threads.
    ///
    /// libcurl takes buffers of hundreds of KiB for each exchange and frees them. glibc gives such pieces back at once,
    /// and the kernel clears each page of the next: a quarter of the CPU time of objects of 1 MiB. No more is kept than
    /// was in use at once (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD).
    public static func keepFreedMemory() {
        // The most that glibc takes. Both, since to set one switches off that they adapt, at 128 KiB. Other allocators
        // (a sanitizer's) refuse, and need none of it.
        _ = mallopt(M_MMAP_THRESHOLD, 32 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, .max)
    }
}
