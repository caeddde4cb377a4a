// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>Gathers output while a loop's tick lasts and sends it at its end, all at once.</summary>
internal interface IFlushable
{
    void FlushOutput();

    /// <summary>Ends it at once, because a defect was met in it.</summary>
    void Abandon();
}
