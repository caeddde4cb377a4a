// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>Makes loops, trying what the kernel offers.</summary>
internal static class LoopFactory
{
    /// <summary>
    /// A loop; <paramref name="fallback"/> says why it is not io_uring where that was left to us. Throws <see cref="IoException"/> where
    /// io_uring was demanded and cannot be had.
    /// </summary>
    internal static EventLoop Create(IoChoice choice, LoopSettings settings, out string? fallback)
    {
        fallback = null;
        if (choice == IoChoice.Epoll)
        {
            return new EpollLoop(settings);
        }

        try
        {
            return new UringLoop(settings);
        }
        catch (IoException failure) when (choice == IoChoice.Auto)
        {
            // Containers often forbid it.
            fallback = $"io_uring cannot be used here: {failure.Message}";
            return new EpollLoop(settings);
        }
    }
}
