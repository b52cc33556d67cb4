-- Capture and replication of one table. Functions of ours are replaced; triggers are made when capture is turned on.
{functions}
{access}