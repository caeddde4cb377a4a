// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>Which input and output a loop uses.</summary>
public enum IoChoice
{
    /// <summary>io_uring where the kernel lets us, else epoll.</summary>
    Auto,
    Uring,
    Epoll,
}
