// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Health;

/// <summary>One health check on one connection: what is said, and the verdict on what comes back.</summary>
internal abstract class HealthQuestion
{
    /// <summary>The connection is there: asks.</summary>
    internal abstract void Ask(ByteChannel channel);

    /// <summary>Takes what came: true for well, false for anything else, null if there must be more first.</summary>
    internal abstract bool? Read(ReadOnlySpan<byte> data, long nowMs);
}
