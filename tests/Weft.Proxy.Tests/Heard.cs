// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Tests;

/// <summary>One thing that an origin's thread tells the test.</summary>
internal sealed class Heard<T>
{
    private readonly ManualResetEventSlim _isSet = new();
    private T _value = default!;

    internal void Set(T value)
    {
        _value = value;
        _isSet.Set();
    }

    internal T Wait() => _isSet.Wait(20_000) ? _value : throw new TimeoutException("nothing was heard");
}
