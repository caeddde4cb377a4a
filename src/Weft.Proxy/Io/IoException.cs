// SPDX-License-Identifier: Apache-2.0

using System.ComponentModel;

namespace Weft.Proxy.Io;

/// <summary>A system call that the proxy cannot do without failed.</summary>
public sealed class IoException : Exception
{
    public IoException()
    {
    }

    public IoException(string message)
        : base(message)
    {
    }

    public IoException(string message, Exception inner)
        : base(message, inner)
    {
    }

    private IoException(string what, int number)
        : base($"{what} failed: {Describe(number)}") => Number = number;

    /// <summary>The system's error number.</summary>
    public int Number { get; }

    internal static IoException Last(string what) => new(what, Libc.LastError);

    internal static IoException Of(string what, int number) => new(what, number);

    internal static string Describe(int number) => new Win32Exception(number).Message;
}
