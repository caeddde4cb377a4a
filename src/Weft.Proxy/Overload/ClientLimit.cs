// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Overload;

/// <summary>
/// How many clients may be connected to all loops together. Beyond that they wait in the kernel's queue, so that those who are connected can be
/// served.
/// </summary>
/// <param name="most">0 for no limit.</param>
internal sealed class ClientLimit(int most)
{
    private int _connected;

    /// <summary>Half of the descriptors: every client may need a connection to a server.</summary>
    internal static ClientLimit Of(OverloadSettings settings) =>
        new(settings.Descriptors == 0 ? 0 : Math.Max(1, (settings.Descriptors - ProcessReadings.OtherDescriptors) / 2));

    internal bool IsReached => most > 0 && Volatile.Read(ref _connected) >= most;

    /// <summary>
    /// A burst went a quarter above the limit: the kernel hands connections over until it has heard that it shall not, and a loop hears of others' at
    /// its own next one.
    /// </summary>
    internal bool IsExceeded => most > 0 && Volatile.Read(ref _connected) >= most + Math.Max(1, most / 4);

    internal void Enter() => Interlocked.Increment(ref _connected);

    internal void Leave() => Interlocked.Decrement(ref _connected);
}
