// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Overload;

/// <summary>How many descriptors the process may have open.</summary>
internal static unsafe class DescriptorLimit
{
    /// <summary>
    /// Takes as many as the system grants: the soft limit is low for the sake of programs that use select, and this is none. Returns what went
    /// wrong, or null.
    /// </summary>
    internal static string? Raise()
    {
        ResourceLimit limit;
        if (Libc.GetLimit(Libc.LimitOfDescriptors, &limit) == 0)
        {
            limit.Soft = limit.Hard;
            if (Libc.SetLimit(Libc.LimitOfDescriptors, &limit) == 0)
            {
                return null;
            }
        }

        return IoException.Last("Raising the limit of open descriptors").Message;
    }
}
