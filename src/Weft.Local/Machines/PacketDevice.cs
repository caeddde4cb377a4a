// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Local.Machines;

/// <summary>A tun device of the mesh's namespace: what is routed to it is read here, what is written here arrives from it.</summary>
internal sealed partial class PacketDevice
{
    public const string Name = "weftlink";

    /// <summary>As the pods' own links have it. A stream of bytes carries packets of any size.</summary>
    public const int LargestPacket = 1500;

    private const string Device = "/dev/net/tun";
    private const int ReadWriteCloseOnExec = 0x80002;
    private const nuint SetInterface = 0x400454ca;
    private const short TunWithoutHeader = 0x1001;
    private const int NameBytes = 16;
    private const int RequestBytes = 40;

    private readonly int _descriptor;

    private PacketDevice(int descriptor) => _descriptor = descriptor;

    /// <summary>Makes the device; throws <see cref="IOException"/> with the cure when the kernel or this user's rights do not allow it.</summary>
    public static PacketDevice Open()
    {
        var descriptor = OpenFile(Device, ReadWriteCloseOnExec);
        if (descriptor < 0)
        {
            throw new IOException(
                $"{Device} cannot be opened ({Reason()}): pods of several machines need it. Run as root, or:  modprobe tun; chmod 666 {Device}");
        }

        var request = new byte[RequestBytes];
        System.Text.Encoding.ASCII.GetBytes(Name, request);
        BitConverter.TryWriteBytes(request.AsSpan(NameBytes), TunWithoutHeader);
        if (Control(descriptor, SetInterface, request) != 0)
        {
            var reason = Reason();
            _ = CloseFile(descriptor);
            throw new IOException($"The device {Name} cannot be made: {reason}.");
        }

        return new PacketDevice(descriptor);
    }

    /// <summary>Waits for a packet. For a thread of its own.</summary>
    public int Read(Span<byte> packet)
    {
        var count = ReadFile(_descriptor, packet, (nuint)packet.Length);
        return count >= 0 ? (int)count : throw new IOException($"{Name} cannot be read: {Reason()}.");
    }

    /// <summary>A packet that the kernel does not take is lost, as on any wire.</summary>
    public void Write(ReadOnlySpan<byte> packet) => _ = WriteFile(_descriptor, packet, (nuint)packet.Length);

    private static string Reason() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int descriptor);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, byte[] argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFile(int descriptor, Span<byte> buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteFile(int descriptor, ReadOnlySpan<byte> buffer, nuint length);
}
