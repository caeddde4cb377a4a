// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Grpc;
using Xunit;

namespace Weft.Protocols.Tests.Grpc;

public sealed class ProtoReaderTests
{
    [Fact]
    public void Fields_of_every_kind_are_read_in_order()
    {
        var reader = new ProtoReader(Convert.FromHexString("089601120361626319010000000000000025020000002A00"));
        Assert.True(reader.Read());
        Assert.Equal((1, 150UL), (reader.Field, reader.Number));
        Assert.True(reader.Read());
        Assert.Equal("abc"u8, reader.Bytes);
        Assert.True(reader.Read());
        Assert.Equal((3, 1UL), (reader.Field, reader.Number));
        Assert.True(reader.Read());
        Assert.Equal((4, 2UL), (reader.Field, reader.Number));
        Assert.True(reader.Read());
        Assert.Equal((5, 0), (reader.Field, reader.Bytes.Length));
        Assert.False(reader.Read());
        Assert.False(reader.IsDamaged);
    }

    [Theory]
    [InlineData("08")]
    [InlineData("0A05AB")]
    [InlineData("0AFFFFFFFFFFFFFFFFFF01")]
    [InlineData("08FFFFFFFFFFFFFFFFFFFFFF01")]
    [InlineData("00")]
    [InlineData("0B")]
    [InlineData("0C")]
    [InlineData("09010203")]
    [InlineData("0D0102")]
    [InlineData("FFFFFFFFFF7F01")]
    public void Damage_ends_the_reading_and_is_told(string hex)
    {
        var reader = new ProtoReader(Convert.FromHexString(hex));
        Assert.False(reader.Read());
        Assert.True(reader.IsDamaged);
        Assert.False(reader.Read());
    }

    [Fact]
    public void Random_bytes_end_always_and_never_lead_outside()
    {
        var random = new Random(11);
        var bytes = new byte[64];
        for (var run = 0; run < 200_000; run++)
        {
            random.NextBytes(bytes);
            var reader = new ProtoReader(bytes.AsSpan(0, random.Next(bytes.Length)));
            for (var count = 0; reader.Read(); count++)
            {
                Assert.True(count < bytes.Length);
                Assert.True(reader.Bytes.Length < bytes.Length);
            }
        }
    }
}
