UPDATE {table} SET ({columns}) = ROW({values}) WHERE false;
          INSERT INTO {table} ({columns}) SELECT {values} WHERE false;
          DELETE FROM {table} WHERE false;
